import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import { badUserInput, codedError, ErrorCode } from '../graphql/errors.js';
import type { CursorCodec } from '../read/model.js';
import type { Row, Sql } from '../read/row.js';
import type { Position } from './position.js';

/** The name under which listings ask for these cursors. */
export const FEED_CURSORS = 'feed';

const FORM = /^([\w-]{1,200})\.([\w-]{22})$/;
const isBelow2To63 = (text: unknown): text is string =>
  typeof text === 'string' && /^(0|[1-9]\d{0,18})$/.test(text) && BigInt(text) < 2n ** 63n;

/** What a client is told whose cursor names no place in this log: what lay between is not known, so it says so. */
export const cursorExpired = (argument: string) =>
  codedError(
    ErrorCode.CURSOR_EXPIRED,
    `${argument}: CursorExpired. The cursor is of another database, or of this one before it was restored. Read the list from its start.`,
    { extensions: { field: argument } },
  );

/**
 * Cursors of the activity feed: `base64url(["feed:<incarnation>", xid, seq]).signature`. The same in `Query.activity`
 * and in both subscriptions; they name the incarnation of the database and are signed
 * (HMAC-SHA256, cut to 128 bits), so that nobody makes one up.
 *
 * PostgreSQL never sees the secret: its statements write a placeholder that only this process knows, and `fill` puts
 * the cursors there.
 */
export class FeedCursors implements CursorCodec {
  private readonly key: Buffer;
  private readonly mark = `cursor-${randomBytes(16).toString('hex')}`;
  private readonly marks = new RegExp(`${this.mark}:(\\d+)\\.(\\d+)`, 'g');

  constructor(
    secret: Uint8Array,
    /** Changes while the gateway runs where a failover puts another database in the place of the one before. */
    public incarnation: string,
  ) {
    this.key = createHmac('sha256', secret).update('csp-graph:feed-cursor').digest();
  }

  /** The cursor of a position. */
  encode({ xid, seq }: { xid: bigint | string; seq: bigint | string }): string {
    const place = Buffer.from(JSON.stringify([`feed:${this.incarnation}`, String(xid), String(seq)])).toString(
      'base64url',
    );
    return `${place}.${this.sign(place).toString('base64url')}`;
  }

  /**
   * The position that a client's cursor names.
   * @throws BAD_USER_INPUT naming the argument; CURSOR_EXPIRED for one of another incarnation
   */
  decode(cursor: string, argument: string): Position {
    const [, place, signature] = FORM.exec(cursor) ?? [];
    const parts = place === undefined ? null : parseJson(place);
    const [tag, xid, seq] = Array.isArray(parts) && parts.length === 3 ? parts : [];
    if (typeof tag === 'string' && /^feed:[0-9a-f-]{36}$/.test(tag) && tag !== `feed:${this.incarnation}`)
      throw cursorExpired(argument);
    const isOurs =
      place !== undefined &&
      tag === `feed:${this.incarnation}` &&
      isBelow2To63(xid) &&
      isBelow2To63(seq) &&
      timingSafeEqual(Buffer.from(signature as string, 'base64url'), this.sign(place));
    if (!isOurs) throw badUserInput(argument, 'must be a cursor that the activity log gave');
    return { xid: BigInt(xid), seq: BigInt(seq) };
  }

  keysOf(cursor: string, argument: string): string[] {
    const { xid, seq } = this.decode(cursor, argument);
    return [String(xid), String(seq)];
  }

  /** What a statement writes in the place of a row's cursor. */
  placeholder(row: Row): Sql {
    return sql`${sql.lit(this.mark)} || ':' || ${row.col('xid')}::text || '.' || ${row.col('seq')}::text`;
  }

  /** JSON text of a statement with placeholders, with cursors in their places. */
  fill(text: string): string {
    return text.replace(this.marks, (_mark, xid: string, seq: string) => this.encode({ xid, seq }));
  }

  private sign(place: string): Buffer {
    return createHmac('sha256', this.key).update(place).digest().subarray(0, 16);
  }
}

function parseJson(place: string): unknown {
  try {
    return JSON.parse(Buffer.from(place, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
