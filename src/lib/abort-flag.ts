/**
 * Whether whoever waits for an answer has gone away: what is done for it alone ends then. Each request has one, and few
 * are ever set; an AbortSignal does the same at many times the price.
 */
export class AbortFlag {
  private listeners: Set<() => void> | undefined;
  private isSet = false;

  /** Whether nobody waits any more. */
  get aborted(): boolean {
    return this.isSet;
  }

  /** Says that nobody waits any more. */
  abort(): void {
    if (this.isSet) return;
    this.isSet = true;
    for (const listener of this.listeners ?? []) listener();
    this.listeners = undefined;
  }

  /** Calls `listener` when it is aborted; never where it has been already. */
  onAbort(listener: () => void): void {
    if (this.isSet) return;
    this.listeners ??= new Set();
    this.listeners.add(listener);
  }

  /** Calls it no more. */
  offAbort(listener: () => void): void {
    this.listeners?.delete(listener);
  }
}

/** Resolves after some milliseconds, or as soon as nobody waits any more. */
export function pause(ms: number, abort: AbortFlag): Promise<void> {
  if (ms === 0 || abort.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      abort.offAbort(end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    abort.onAbort(end);
  });
}
