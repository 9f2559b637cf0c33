import { sql } from 'kysely';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em, Orm } from '../../database/orm.js';
import type { CsvRow } from '../../lib/csv-rows.js';

/** Columns of a file of software that must be there. */
export const SOFTWARE_COLUMNS = ['ProductId', 'SkuId', 'Version', 'Languages', 'Architectures', 'Artifact'] as const;
export type SoftwareRow = CsvRow<(typeof SOFTWARE_COLUMNS)[number]>;

/** Why a row is not taken. */
export interface SoftwareRefusal {
  line: number;
  reason: string;
}

/** What an import did, or in a dry run would do. */
export interface SoftwareImport {
  rows: number;
  refusals: SoftwareRefusal[];
  skus: number;
  versions: { new: number; changed: number; unchanged: number; removed: number };
  /** Whether the rows are in the database now. */
  kept: boolean;
}

/** A version as a file has it, and as the table holds it. */
interface Version {
  version: string;
  position: number;
  languages: string[];
  architectures: string[];
  artifact: string | null;
}

/** The versions that a file gives a SKU, newest first, with the line of each. */
interface Offer {
  skuRow: string;
  name: string;
  versions: (Version & { line: number })[];
}

/**
 * Sets what software SKUs come with (rule 7). The file is all that a SKU has which it names: versions in its order, the
 * newest first, and none that it does not name; other SKUs stay as they are. A version that product keys are stored or
 * given of is not taken away. All or nothing; the same file again changes nothing, and a start brings nothing back.
 * `onKept` goes last in the transaction that keeps the file.
 */
export async function importSoftware(
  orm: Orm,
  rows: AsyncIterable<SoftwareRow>,
  { dryRun, onKept }: { dryRun: boolean; onKept?: (em: Em, done: SoftwareImport) => void },
): Promise<SoftwareImport> {
  const skus = await skusByName(orm);
  const refusals: SoftwareRefusal[] = [];
  const offers = new Map<string, Offer>();
  let count = 0;
  for await (const row of rows) {
    count += 1;
    const read = readRow(row, skus, offers);
    if (read !== null) refusals.push({ line: row.line, reason: read });
  }
  const versions = { new: 0, changed: 0, unchanged: 0, removed: 0 };
  return orm.em.fork().transactional(async (em) => {
    const changes: (() => Promise<void>)[] = [];
    const inOrder = [...offers.values()].sort((one, other) => (one.skuRow < other.skuRow ? -1 : 1));
    for (const offer of inOrder) {
      const held = await versionsOf(em, offer.skuRow);
      for (const given of offer.versions) {
        const before = held.find(({ version }) => version === given.version);
        const change = !before ? 'new' : isSame(before, given) ? 'unchanged' : 'changed';
        versions[change] += 1;
        if (change !== 'unchanged') changes.push(() => store(em, offer.skuRow, given));
      }
      for (const { version, hasKeys } of held) {
        if (offer.versions.some((given) => given.version === version)) continue;
        versions.removed += 1;
        if (hasKeys)
          refusals.push({
            line: offer.versions[0]?.line ?? 0,
            reason: `Version: ${offer.name} has product keys of version ${version}, which the file takes away; name it`,
          });
        changes.push(() => remove(em, offer.skuRow, version));
      }
    }
    const kept = !dryRun && refusals.length === 0;
    if (kept) for (const change of changes) await change();
    refusals.sort((one, other) => one.line - other.line);
    const done = { rows: count, refusals, skus: offers.size, versions, kept };
    if (kept) onKept?.(em, done);
    return done;
  });
}

/** Adds what a row says to the offers. @returns why it is not taken, or null */
function readRow(row: SoftwareRow, skus: Map<string, string>, offers: Map<string, Offer>): string | null {
  if ('unreadable' in row) return row.unreadable;
  const { ProductId, SkuId, Version: version, Languages, Architectures, Artifact } = row.cells;
  // A spreadsheet takes the zeros of 0003 away.
  const name = `${ProductId.toUpperCase()}:${SkuId.toUpperCase().padStart(4, '0')}`;
  const skuRow = skus.get(name);
  if (skuRow === undefined) return 'ProductId, SkuId: the catalog has no such SKU; import the price list first';
  if (!/^[\w][\w .+()-]{0,99}$/.test(version)) return 'Version: must be 1 to 100 letters, digits, blanks and . + ( ) -';
  const languages = listOf(Languages).map(languageOf);
  if (languages.length === 0 || languages.includes(null))
    return 'Languages: must be BCP 47 tags such as en-US, parted by blanks';
  const architectures = listOf(Architectures);
  if (architectures.length === 0 || !architectures.every((each) => /^[\w-]{1,40}$/.test(each)))
    return 'Architectures: must be names such as x64, parted by blanks';
  const artifact = Artifact === '' ? null : Artifact;
  if (artifact !== null && !isPath(artifact))
    return 'Artifact: must be a path such as sql/2022/{language}/{architecture}.iso, without .. and without a / at its ends';
  const offer = offers.get(name) ?? { skuRow, name, versions: [] };
  const twin = offer.versions.find((each) => each.version === version);
  if (twin) return `Version: line ${twin.line} has the same`;
  const position = offer.versions.length;
  const given = {
    version,
    position,
    languages: distinct(languages as string[]),
    architectures: distinct(architectures),
  };
  offer.versions.push({ ...given, artifact, line: row.line });
  offers.set(name, offer);
  return null;
}

const listOf = (cell: string) => cell.split(/[\s,;|]+/).filter(Boolean);
const distinct = (values: string[]) => [...new Set(values)];

function languageOf(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}

/** A path below the folder or prefix of images, whose places for the choice are named. */
const isPath = (path: string) =>
  path.length <= 500 &&
  path.split('/').every((part) => /^(?!\.{1,2}$)(?:[\w .+-]|\{language\}|\{architecture\})+$/.test(part));

const isSame = (one: Version, other: Version) =>
  one.position === other.position &&
  one.artifact === other.artifact &&
  one.languages.join() === other.languages.join() &&
  one.architectures.join() === other.architectures.join();

async function skusByName(orm: Orm): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; name: string }>`
    select "skus"."id", "products"."product_id" || ':' || "skus"."sku_id" as "name"
    from "skus" join "products" on "products"."id" = "skus"."product_id"`.execute(orm.em.fork().getKysely());
  return new Map(rows.map(({ id, name }) => [name, id]));
}

/** Versions of a SKU, which nobody else changes until the transaction ends. */
async function versionsOf(em: Em, skuRow: string): Promise<(Version & { hasKeys: boolean })[]> {
  inLockOrder(em, 'SKU');
  await sql`select from "skus" where "id" = ${skuRow} for no key update`.execute(em.getKysely());
  const { rows } = await sql<Version & { hasKeys: boolean }>`
    select "version", "position", "languages", "architectures", "artifact",
      exists (
        select from "product_key_pool" where "sku_id" = ${skuRow} and "version" = "offered"."version"
      ) or exists (
        select from "product_keys" join "entitlements" on "entitlements"."id" = "product_keys"."entitlement_id"
        where "entitlements"."sku_id" = ${skuRow} and "product_keys"."version" = "offered"."version"
      ) as "hasKeys"
    from "software_versions" as "offered" where "sku_id" = ${skuRow} order by "position"`.execute(em.getKysely());
  return rows;
}

async function store(em: Em, skuRow: string, given: Version): Promise<void> {
  const { version, position, languages, architectures, artifact } = given;
  await sql`
    insert into "software_versions" ("sku_id", "version", "position", "languages", "architectures", "artifact")
    values (${skuRow}, ${version}, ${position}, ${languages}::text[], ${architectures}::text[], ${artifact})
    on conflict ("sku_id", "version") do update set "position" = excluded."position",
      "languages" = excluded."languages", "architectures" = excluded."architectures", "artifact" = excluded."artifact"
  `.execute(em.getKysely());
}

async function remove(em: Em, skuRow: string, version: string): Promise<void> {
  await sql`delete from "software_versions" where "sku_id" = ${skuRow} and "version" = ${version}`.execute(
    em.getKysely(),
  );
}
