/** The bytes that bodies of requests hold in memory, all together: one beyond the bound is not read on. */
export class HeldBytes {
  private held = 0;

  constructor(private readonly maximum: number) {}

  /** Begins to count what one body holds. */
  open(): HeldBody {
    let own = 0;
    return {
      take: (bytes) => {
        if (this.held + bytes > this.maximum) return false;
        own += bytes;
        this.held += bytes;
        return true;
      },
      release: () => {
        this.held -= own;
        own = 0;
      },
    };
  }
}

/** What one body holds. */
export interface HeldBody {
  /** Takes more bytes. @returns false, and takes none, where that is more than all bodies may hold */
  take(bytes: number): boolean;
  /** Gives back all that it holds. */
  release(): void;
}
