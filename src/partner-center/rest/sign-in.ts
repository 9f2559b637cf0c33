import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { decryptText, type EncryptionKey, encryptText } from '../../lib/encrypted-text.js';
import { wait } from './call-budget.js';

/** What the token is bound to. */
export const OWNER_OF_SIGN_IN = 'partner-center-sign-in';
/** How long a claim lasts: longer than a token endpoint is waited for. */
const HELD_SECONDS = 60;
const LOOK_MS = 100;
/** How long a refresh token is good. */
const LIFE_DAYS = 90;

/** Nobody has signed in, or has to do so again. */
export class SignInNeeded extends Error {
  override name = 'SignInNeeded';
}

/** What using a refresh token gives: a new one, and whatever it was used for. */
export interface Renewed<Result> {
  refreshToken: string;
  result: Result;
}

/**
 * Keeps the refresh token of the one who has signed in, for all processes of a database: one of them at a time uses it,
 * and has stored the new one before anybody else may.
 */
export class SignIn {
  constructor(
    private readonly kysely: Kysely<unknown>,
    private readonly keys: readonly EncryptionKey[],
  ) {}

  /** When somebody must have signed in again, unless the token is used before; null where nobody is signed in. */
  async dueAt(): Promise<Date | null> {
    const { rows } = await sql<{ dueAt: Date }>`
      select "renewed_at" + make_interval(days => ${LIFE_DAYS}) as "dueAt"
      from "partner_center_sign_ins"`.execute(this.kysely);
    return rows[0] ? new Date(rows[0].dueAt) : null;
  }

  /** Keeps the token of somebody who has just signed in, whatever was there before. */
  async store(refreshToken: string): Promise<void> {
    const { keyId, encrypted } = this.encrypt(refreshToken);
    await sql`
      insert into "partner_center_sign_ins" ("singleton", "key_id", "encrypted", "renewed_at")
      values (true, ${keyId}, ${encrypted}, now())
      on conflict ("singleton") do update set
        "key_id" = excluded."key_id",
        "encrypted" = excluded."encrypted",
        "renewed_at" = excluded."renewed_at",
        "held_by" = null,
        "held_until" = null`.execute(this.kysely);
  }

  /**
   * Uses the token, when nobody else does, and stores the new one before it is let go.
   * @throws {SignInNeeded} where there is none, or none that opens
   */
  async use<Result>(exchange: (refreshToken: string) => Promise<Renewed<Result>>): Promise<Result> {
    const holder = randomUUID();
    const token = await this.claim(holder);
    try {
      const { refreshToken, result } = await exchange(token);
      const { keyId, encrypted } = this.encrypt(refreshToken);
      // Somebody who has signed in meanwhile took the claim away: their token is the newer one.
      await sql`
        update "partner_center_sign_ins"
        set "key_id" = ${keyId}, "encrypted" = ${encrypted}, "renewed_at" = now(), "held_by" = null, "held_until" = null
        where "held_by" = ${holder}`.execute(this.kysely);
      return result;
    } catch (error) {
      await sql`
        update "partner_center_sign_ins" set "held_by" = null, "held_until" = null
        where "held_by" = ${holder}`.execute(this.kysely);
      throw error;
    }
  }

  private async claim(holder: string): Promise<string> {
    for (;;) {
      const { rows } = await sql<{ keyId: string; encrypted: Uint8Array }>`
        update "partner_center_sign_ins"
        set "held_by" = ${holder}, "held_until" = now() + make_interval(secs => ${HELD_SECONDS})
        where "held_until" is null or "held_until" < now()
        returning "key_id" as "keyId", "encrypted"`.execute(this.kysely);
      if (rows[0]) return this.decrypt(rows[0]);
      if ((await this.dueAt()) === null)
        throw new SignInNeeded('Nobody has signed in to Partner Center: npm run partner-center:sign-in');
      await wait(LOOK_MS);
    }
  }

  private encrypt(refreshToken: string): { keyId: string; encrypted: Buffer } {
    const key = this.keys[0] as EncryptionKey;
    return { keyId: key.keyId, encrypted: encryptText(refreshToken, key, OWNER_OF_SIGN_IN) };
  }

  private decrypt({ keyId, encrypted }: { keyId: string; encrypted: Uint8Array }): string {
    const key = this.keys.find((candidate) => candidate.keyId === keyId);
    try {
      if (key) return decryptText(encrypted, key, OWNER_OF_SIGN_IN);
    } catch {
      // Told below: what is wrong with it is the same.
    }
    throw new SignInNeeded(
      `The sign-in to Partner Center does not open with the key "${keyId}" of PRODUCT_KEY_SECRETS. Put that one back, or sign in anew: npm run partner-center:sign-in`,
    );
  }
}
