import { type Kysely, type RawBuilder, sql } from 'kysely';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { write } from '../../database/writes.js';
import { newId } from '../../domain/ids.js';
import type { JobKind } from '../../domain/job-kind.js';
import { type IntentLine, IntentState } from './intent.entity.js';

/** What was to be done has come to an end meanwhile: an operator has given it up, or another process was quicker. */
class EndedMeanwhile extends Error {
  override name = 'EndedMeanwhile';
  override message = 'It has come to an end meanwhile.';
}

/** Writes an intent down, in the caller's transaction. */
export function keepIntent(em: Em, id: string, kind: JobKind, orderId: string): void {
  write(em, `insert into upstream_intents (id, kind, order_id) values ($1, $2, $3)`, [id, kind, orderId]);
}

/** What an intent keeps an operator from giving it up for: it is done, or may have been. */
export type IntentHindrance = 'DONE' | 'UNKNOWN';

/**
 * Ends an intent that an operator gives up, in the caller's transaction. Answers why not; null: it is ended, or there is
 * none.
 * @param isNotDone whether the operator has looked: what got no answer has not been done
 */
export async function giveUpIntent(
  em: Em,
  id: string,
  { reason, isNotDone }: { reason: string; isNotDone: boolean },
): Promise<IntentHindrance | null> {
  inLockOrder(em, 'INTENT');
  const [intent] = await em.execute<{ state: IntentState; wasSent: boolean }[]>(
    `select "state", "first_sent_at" is not null as "wasSent" from "upstream_intents" where "id" = ? for update`,
    [id],
  );
  if (intent?.state === 'DONE') return 'DONE';
  if (!intent || intent.state === 'REFUSED') return null;
  if (intent.wasSent && !isNotDone) return 'UNKNOWN';
  write(
    em,
    `update upstream_intents set state = 'REFUSED', problem = $2, request_id = null, changed_at = now() where id = $1`,
    [id, reason],
  );
  return null;
}

/** An intent of which a call is about to be made. */
export interface Begun extends Intent {
  requestId: string;
}

/** An intent as it is stored. */
export interface Intent {
  id: string;
  state: IntentState;
  cartId: string | null;
  lines: IntentLine[];
  hasReread: boolean;
  problem: string | null;
  requestedAt: Date;
  /** When it was sent for the first and for the last time without being answered, by the database's clock. */
  firstSentAt: Date | null;
  lastSentAt: Date | null;
  lastSentSecondsAgo: number | null;
}

const columns = sql`"id", "state", "cart_id" as "cartId", "lines", "has_reread" as "hasReread", "problem",
  "requested_at" as "requestedAt", "first_sent_at" as "firstSentAt", "last_sent_at" as "lastSentAt",
  extract(epoch from now() - "last_sent_at")::float8 as "lastSentSecondsAgo"`;

/**
 * Intents on their way: each step is committed before the next one is made. Where two processes go on with the same one,
 * which happens where one was taken for dead, the first one's word holds, and both make the same calls.
 */
export class Intents {
  constructor(private readonly kysely: Kysely<unknown>) {}

  /** An intent; one is written for what waits from before there were any. */
  async open(id: string, kind: JobKind, orderId: string): Promise<Intent> {
    await sql`
      insert into "upstream_intents" ("id", "kind", "order_id") values (${id}, ${kind}, ${orderId})
      on conflict ("id") do nothing`.execute(this.kysely);
    return this.change(id, sql`"problem" = "problem"`);
  }

  /** What lines of an order have become upstream; null where the order was not placed there. */
  async boughtLines(orderId: string): Promise<IntentLine[] | null> {
    const { rows } = await sql<{ lines: IntentLine[] }>`
      select "lines" from "upstream_intents"
      where "id" = ${orderId} and "state" = ${IntentState.DONE}`.execute(this.kysely);
    return rows[0]?.lines ?? null;
  }

  /** Ids of the upstream's orders of the same customer that other purchases have become, or that are known to be somebody else's. */
  async claimedOrders(id: string): Promise<Set<string>> {
    const { rows } = await sql<{ orderId: string }>`
      select distinct "line" -> 'order' ->> 'id' as "orderId"
      from "upstream_intents" as "intent"
      join "orders" on "orders"."id" = "intent"."order_id"
      cross join lateral jsonb_array_elements("intent"."lines") as "line"
      where "orders"."customer_id" = (select "customer_id" from "orders" where "id" = ${id})
        and "intent"."kind" = 'PURCHASE'
        and "intent"."id" <> ${id}
        and "line" -> 'order' is not null
      union
      select "upstream_order_id"
      from "upstream_lines"
      join "order_lines" on "order_lines"."id" = "upstream_lines"."order_line_id"
      join "orders" on "orders"."id" = "order_lines"."order_id"
      where "orders"."customer_id" = (select "customer_id" from "orders" where "id" = ${id})
        and "upstream_lines"."is_mirrored"`.execute(this.kysely);
    return new Set(rows.map(({ orderId }) => orderId));
  }

  /**
   * Stores by which `MS-RequestId` a write is made, before it is: the one that is under way, or a new one.
   * @throws {EndedMeanwhile} where nothing is to be made any more
   */
  beginCall(id: string): Promise<Begun> {
    return this.begin(id, sql`"changed_at" = now()`);
  }

  /** The same for what changes something upstream: from now on it may have been done. */
  beginSending(id: string): Promise<Begun> {
    return this.begin(
      id,
      sql`"state" = case when "state" = 'REQUESTED' then 'SENT' else "state" end,
        "first_sent_at" = coalesce("first_sent_at", now()), "last_sent_at" = now(), "changed_at" = now()`,
    );
  }

  private async begin(id: string, changes: RawBuilder<unknown>): Promise<Begun> {
    const { rows } = await sql<Begun>`
      update "upstream_intents" set "request_id" = coalesce("request_id", ${newId()}), ${changes}
      where "id" = ${id} and "state" not in ('DONE', 'REFUSED')
      returning "request_id" as "requestId", ${columns}`.execute(this.kysely);
    if (!rows[0]) throw new EndedMeanwhile();
    return rows[0];
  }

  /** Notes that what was sent did nothing, for it was refused: what counts is when it was sent before. */
  async takeBack(id: string, { firstSentAt, lastSentAt }: Intent): Promise<void> {
    await this.change(id, sql`"first_sent_at" = ${firstSentAt}, "last_sent_at" = ${lastSentAt}`);
  }

  /** Notes that a write was answered: the next one has another id. */
  async endCall(id: string, requestId: string): Promise<void> {
    await sql`
      update "upstream_intents" set "request_id" = null
      where "id" = ${id} and "request_id" = ${requestId}`.execute(this.kysely);
  }

  /** Keeps the cart, unless there is one. */
  keepCart(id: string, cartId: string, lines: readonly IntentLine[]): Promise<Intent> {
    return this.change(
      id,
      sql`"lines" = case when "cart_id" is null then ${JSON.stringify(lines)}::text::jsonb else "lines" end,
        "request_id" = case when "cart_id" is null then null else "request_id" end,
        "cart_id" = coalesce("cart_id", ${cartId})`,
    );
  }

  /** Leaves a cart that has surely bought nothing: availabilities are read again for another one, once. */
  startAgain(id: string): Promise<Intent> {
    return this.change(
      id,
      sql`"cart_id" = null, "lines" = '[]', "request_id" = null, "has_reread" = true, "state" = 'REQUESTED',
        "first_sent_at" = null, "last_sent_at" = null`,
    );
  }

  /** Notes that nobody knows whether it was done. */
  markUnknown(id: string): Promise<Intent> {
    return this.change(id, sql`"state" = 'UNKNOWN'`);
  }

  /** Notes what went wrong in an attempt. */
  async note(id: string, problem: string): Promise<void> {
    await this.change(id, sql`"problem" = ${problem}`);
  }

  /** Ends it. */
  finish(id: string, state: 'DONE' | 'REFUSED', lines: readonly IntentLine[], problem: string | null): Promise<Intent> {
    return this.change(
      id,
      sql`"state" = ${state}, "lines" = ${JSON.stringify(lines)}::text::jsonb, "problem" = ${problem}, "request_id" = null`,
    );
  }

  /** Changes one that is not final; one that is stays as it is. Answers it as it is then. */
  private async change(id: string, changes: RawBuilder<unknown>): Promise<Intent> {
    const { rows } = await sql<Intent>`
      update "upstream_intents" set ${changes}, "changed_at" = now()
      where "id" = ${id} and "state" not in ('DONE', 'REFUSED')
      returning ${columns}`.execute(this.kysely);
    if (rows[0]) return rows[0];
    const { rows: final } = await sql<Intent>`
      select ${columns} from "upstream_intents" where "id" = ${id}`.execute(this.kysely);
    return final[0] as Intent;
  }
}
