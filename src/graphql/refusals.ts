/**
 * Counts what was refused because it was beyond a bound, by the bound's name as `extensions.limit` has it: `depth`,
 * `bodyBytes`, `socketsPerUser`. Names come from the code, never from a request: each is a time series of `/metrics`.
 */
export class Refusals {
  private readonly byBound = new Map<string, number>();

  /** Notes a refusal. */
  note(bound: string): void {
    this.byBound.set(bound, (this.byBound.get(bound) ?? 0) + 1);
  }

  /** How many there were of each. */
  get counts(): ReadonlyMap<string, number> {
    return this.byBound;
  }
}
