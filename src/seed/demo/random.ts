/** Draws that look random and are the same for the same seed and name (mulberry32). Not for secrets. */
export class SeededRandom {
  private state: number;

  /** @param name keeps streams apart: more customers do not change the orders' draws */
  constructor(seed: number, name: string) {
    this.state = seed >>> 0;
    for (const letter of name)
      this.state = (Math.imul(this.state ^ letter.charCodeAt(0), 0x01000193) + 0x9e3779b9) >>> 0;
  }

  /** At least 0, below 1. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number from `least` to `most`, both possible. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** True in `share` of the draws. */
  chance(share: number): boolean {
    return this.fraction() < share;
  }

  /** One of the list. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.fraction() * list.length)] as T;
  }

  /** One of the list, each as likely as its weight. */
  weighted<T>(list: readonly T[], weight: (item: T) => number): T {
    let left = this.fraction() * list.reduce((total, item) => total + weight(item), 0);
    for (const item of list) {
      left -= weight(item);
      if (left < 0) return item;
    }
    return list[list.length - 1] as T;
  }
}
