import { type RawBuilder, sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import { OWNER_OF_SIGN_IN } from '../../partner-center/rest/sign-in.js';
import { OWNER_OF_FINGERPRINT_SECRET } from './fingerprint-secret.js';
import { ownerOfPooled } from './take-pooled-key.js';

/** A table with texts that are encrypted with an encryption key, and what each text is bound to. */
export interface EncryptedTable {
  name: string;
  /** Columns of its primary key as they are sorted, with their types; an index has them behind `key_id`. */
  place: readonly [column: string, type: string][];
  /** Column of the encrypted text. */
  text: string;
  /** What the text of a row is bound to, by the values of its primary key. */
  ownerOf(place: readonly string[]): string;
}

/** Product keys: those of licences, and those that wait in the pool. */
export const keyTables: readonly EncryptedTable[] = [
  {
    name: 'product_keys',
    place: [
      ['entitlement_id', 'uuid'],
      ['version', 'text'],
    ],
    text: 'sealed',
    ownerOf: ([entitlementId, version]) => `${entitlementId}:${version}`,
  },
  {
    name: 'product_key_pool',
    place: [['fingerprint', 'text']],
    text: 'encrypted',
    ownerOf: ([fingerprint]) => ownerOfPooled(fingerprint as string),
  },
];

/** Everything that encryption keys are needed for. */
export const encryptedTables: readonly EncryptedTable[] = [
  ...keyTables,
  {
    name: 'fingerprint_secret',
    place: [['singleton', 'boolean']],
    text: 'encrypted',
    ownerOf: () => OWNER_OF_FINGERPRINT_SECRET,
  },
  {
    name: 'partner_center_sign_ins',
    place: [['singleton', 'boolean']],
    text: 'encrypted',
    ownerOf: () => OWNER_OF_SIGN_IN,
  },
];

/** The values of a row's primary key as texts. */
export const placeOf = ({ place }: EncryptedTable): RawBuilder<string[]> =>
  sql`array[${sql.join(place.map(([column]) => sql`${sql.ref(column)}::text`))}]`;

/** Ids of the encryption keys that something is encrypted with. */
export async function keyIdsInUse(em: Em): Promise<string[]> {
  const found = new Set<string>();
  for (const { name } of encryptedTables) {
    // Jumps from id to id along the index: there are few of them, and many rows.
    const { rows } = await sql<{ keyId: string }>`
      with recursive "used" ("key_id") as (
        select min("key_id") from ${sql.table(name)}
        union all
        select (select min("key_id") from ${sql.table(name)} where "key_id" > "used"."key_id")
        from "used" where "used"."key_id" is not null
      )
      select "key_id" as "keyId" from "used" where "key_id" is not null`.execute(em.getKysely());
    for (const { keyId } of rows) found.add(keyId);
  }
  return [...found].sort();
}
