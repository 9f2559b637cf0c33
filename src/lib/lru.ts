/**
 * A bounded cache: what was not asked for longest goes first, as nearly as matters. What was asked for lately keeps its
 * place: moving it each time would cost more than the cache saves.
 */
export class Lru<Key, Value> {
  private readonly entries = new Map<Key, { value: Value; weight: number; moved: number }>();
  /** Entries that were put at the end of the row since the start. */
  private moves = 0;
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
    // A Map keeps the order of insertion: the first one is the one not asked for longest. Who stands in the later half stays.
    if (2 * (this.moves - entry.moved) >= this.entries.size) {
      this.moves += 1;
      entry.moved = this.moves;
      this.entries.delete(key);
      this.entries.set(key, entry);
    }
    return entry.value;
  }

  /** Keeps a value, unless it is heavier by itself than all may be together. @returns whether it is kept */
  set(key: Key, value: Value, weight = 1): boolean {
    if (weight > this.maximumWeight) return false;
    this.weight += weight - (this.entries.get(key)?.weight ?? 0);
    this.entries.delete(key);
    this.moves += 1;
    this.entries.set(key, { value, weight, moved: this.moves });
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
