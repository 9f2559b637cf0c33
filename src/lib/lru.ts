/** A bounded cache: what was not asked for longest goes first. */
export class Lru<Key, Value> {
  private readonly entries = new Map<Key, { value: Value; weight: number }>();
  /** The weight of all entries together. */
  weight = 0;
  /** Entries that had to go since the start. */
  evictions = 0;

  /**
   * @param maximumEntries most entries
   * @param maximumWeight most that they may weigh together
   * @param onEvict hears what had to go
   */
  constructor(
    private readonly maximumEntries: number,
    private readonly maximumWeight = Number.POSITIVE_INFINITY,
    private readonly onEvict: (value: Value) => void = () => undefined,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: Key): Value | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    // A Map keeps the order of insertion: the first one is the one not asked for longest.
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value, unless it is heavier by itself than all may be together. @returns whether it is kept */
  set(key: Key, value: Value, weight = 1): boolean {
    if (weight > this.maximumWeight) return false;
    this.weight += weight - (this.entries.get(key)?.weight ?? 0);
    this.entries.delete(key);
    this.entries.set(key, { value, weight });
    for (const [oldest, entry] of this.entries) {
      if (this.entries.size <= this.maximumEntries && this.weight <= this.maximumWeight) break;
      this.entries.delete(oldest);
      this.weight -= entry.weight;
      this.evictions += 1;
      this.onEvict(entry.value);
    }
    return true;
  }
}
