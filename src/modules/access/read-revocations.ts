import { type Kysely, sql } from 'kysely';

/** A user whose tokens issued up to an instant are void. */
export interface KnownRevocation {
  userPrincipalName: string;
  /** Milliseconds since 1970. */
  revokedAt: number;
}

/** Revocations since an instant, in milliseconds since 1970; all of them without one. */
export async function readRevocations(kysely: Kysely<unknown>, since?: number): Promise<KnownRevocation[]> {
  const { rows } = await sql<{ name: string; at: string }>`
    select "user_principal_name" as "name", (extract(epoch from "revoked_at") * 1000)::bigint::text as "at"
    from "access_revocations" where "revoked_at" >= ${new Date(since ?? 0).toISOString()}::timestamptz`.execute(kysely);
  return rows.map(({ name, at }) => ({ userPrincipalName: name, revokedAt: Number(at) }));
}
