import { type Kysely, sql } from 'kysely';
import { conditionsOf, type FeedFilter } from '../../feed/feed-entry.js';
import { type Position, START } from '../../feed/position.js';
import { toGlobalId } from '../../global-id.js';

/** One line of an export: an entry of the log, flat. */
export interface ExportedEntry {
  id: string;
  at: string;
  action: string;
  outcome: string;
  actor: string;
  actorRole: string;
  application: string | null;
  customer: string | null;
  resourceType: string;
  resourceId: string;
  resourceLabel: string;
  productIds: string;
  correlationId: string;
}

/** Columns of an export, in their order. */
export const exportColumns: readonly (keyof ExportedEntry)[] = [
  'at',
  'action',
  'outcome',
  'actor',
  'actorRole',
  'application',
  'customer',
  'resourceType',
  'resourceId',
  'resourceLabel',
  'productIds',
  'correlationId',
  'id',
];

const BATCH_SIZE = 1_000;

/**
 * The entries that pass, in commit order, a batch at a time: memory stays flat however many there are. It ends at the
 * last entry that was committed when it began.
 */
export async function* exportActivity(
  kysely: Kysely<unknown>,
  filter: FeedFilter,
  until: Position,
): AsyncGenerator<ExportedEntry[]> {
  let after: Position = START;
  for (;;) {
    const { rows } = await sql<
      Record<string, string | null>
    >`select "xid"::text as "xid", "seq"::text as "seq", "e"."id",
        to_char("at" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "at", "action", "outcome", "actor", "actor_role" as "actorRole", "application",
        (select "company_name" from "customers" where "customers"."id" = "e"."customer_id") as "customer",
        "resource_type" as "resourceType", "resource_id" as "resourceId", "resource_label" as "resourceLabel",
        array_to_string("product_ids", ' ') as "productIds", "correlation_id" as "correlationId"
      from "activity_entries" "e"
      where ${sql.join(
        [
          sql`("xid", "seq") > (${String(after.xid)}::xid8, ${String(after.seq)}::bigint)`,
          sql`("xid", "seq") <= (${String(until.xid)}::xid8, ${String(until.seq)}::bigint)`,
          ...conditionsOf(filter),
        ],
        sql` and `,
      )} order by "e"."xid", "e"."seq" limit ${BATCH_SIZE}::int`.execute(kysely);
    if (rows.length === 0) return;
    yield rows.map(({ xid: _xid, seq: _seq, ...row }) => ({
      ...(row as unknown as ExportedEntry),
      id: toGlobalId('ActivityEntry', row['id'] as string),
    }));
    const last = rows.at(-1) as Record<string, string>;
    after = { xid: BigInt(last['xid'] as string), seq: BigInt(last['seq'] as string) };
    if (rows.length < BATCH_SIZE) return;
  }
}
