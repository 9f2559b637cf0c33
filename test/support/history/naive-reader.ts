import type { Client } from 'pg';
import type { Observation, Seen } from './check-history.js';

/**
 * What many would write: remembers the highest sequence and asks for what is above it. It loses every entry that is
 * committed after one with a higher sequence. Kept to show that the checker finds such losses.
 */
export class NaiveReader {
  private last = 0n;
  private readonly seen: Seen[] = [];
  readonly observation: Observation = { subscriber: 'naive', after: { xid: 0n, seq: 0n }, seen: this.seen };

  constructor(private readonly connection: Client) {}

  /** Looks once. */
  async poll(): Promise<void> {
    const { rows } = await this.connection.query<{ xid: string; seq: string; label: string }>(
      `select xid::text as xid, seq::text as seq, resource_label as label from activity_entries
       where seq > $1 order by activity_entries.seq`,
      [String(this.last)],
    );
    for (const { xid, seq, label } of rows) this.seen.push({ xid: BigInt(xid), seq: BigInt(seq), label });
    this.last = this.seen.at(-1)?.seq ?? this.last;
  }
}
