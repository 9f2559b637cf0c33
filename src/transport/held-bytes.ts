import { networkOf } from '../lib/network.js';
import type { Caller } from './bounds.js';

/** What one body, or answer, may hold no more of: its user's share, its address's, or what all bodies have together. */
export type Full = 'user' | 'address' | 'all';

/**
 * The bytes that bodies of requests, or answers, hold in memory: all together, and of each user and each address a share, so that
 * others have room whatever one sends. What is beyond a bound is not read on.
 */
export class HeldBytes {
  private held = 0;
  private readonly shares = new Map<string, number>();

  constructor(
    private readonly maximum: number,
    /** Bytes of one user; of those without a token, of one address. */
    private readonly share: number,
    /** Bytes of one address. */
    private readonly shareOfAddress = share,
  ) {}

  /** Begins to count what one body of a caller holds. */
  open({ user, address }: Caller): HeldBody {
    const ofAddress = networkOf(address);
    // Without a token a user's share is the address's: nobody else's, as one share of all of them would be.
    const ofUser = user === null ? `nobody at ${ofAddress}` : `user ${user}`;
    let own = 0;
    const add = (bytes: number) => {
      own += bytes;
      this.held += bytes;
      for (const holder of [ofUser, ofAddress]) this.addTo(holder, bytes);
    };
    return {
      take: (bytes) => {
        if (this.of(ofUser) + bytes > this.share) return 'user';
        if (this.of(ofAddress) + bytes > this.shareOfAddress) return 'address';
        if (this.held + bytes > this.maximum) return 'all';
        add(bytes);
        return null;
      },
      add,
      isFull: () =>
        this.of(ofUser) >= this.share || this.of(ofAddress) >= this.shareOfAddress || this.held >= this.maximum,
      release: () => add(-own),
    };
  }

  private of(holder: string): number {
    return this.shares.get(holder) ?? 0;
  }

  private addTo(holder: string, bytes: number): void {
    const held = this.of(holder) + bytes;
    if (held > 0) this.shares.set(holder, held);
    else this.shares.delete(holder);
  }
}

/** What one body holds. */
export interface HeldBody {
  /** Takes more bytes. @returns null; else, and then it takes none, what is full */
  take(bytes: number): Full | null;
  /** Takes more bytes, whatever is full. */
  add(bytes: number): void;
  /** Whether it may take none. */
  isFull(): boolean;
  /** Gives back all that it holds. */
  release(): void;
}
