/** Closes a part. */
type Close = () => unknown;

/**
 * The parts of a gateway, in the order in which they were opened. Each says how it is closed when it is opened; they are
 * closed in the reverse order, the same way after a start that failed half-way as at the end.
 */
export class Lifecycle {
  private readonly closers: Close[] = [];

  /** Registers how a part is closed. */
  onClose(close: Close): void {
    this.closers.push(close);
  }

  /**
   * Closes everything, what was opened last first. A part that cannot be closed does not keep the others open.
   * @throws the first failure, once all have been tried
   */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.closers.pop(); close; close = this.closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
