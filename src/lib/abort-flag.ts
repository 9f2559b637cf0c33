/**
 * Whether whoever waits for an answer has gone away: what is done for it alone ends then. Each request has one, and few
 * ever fire; an AbortSignal does the same at many times the price.
 */
export class Departure {
  private listeners: Set<() => void> | undefined;
  hasLeft = false;

  /** Says that nobody waits any more. */
  leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    for (const listener of this.listeners ?? []) listener();
    this.listeners = undefined;
  }

  /** Calls `listener` when it happens; never where it has happened already. */
  listen(listener: () => void): void {
    if (this.hasLeft) return;
    this.listeners ??= new Set();
    this.listeners.add(listener);
  }

  /** Calls it no more. */
  unlisten(listener: () => void): void {
    this.listeners?.delete(listener);
  }
}
