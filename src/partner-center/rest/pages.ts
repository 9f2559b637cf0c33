import { z } from 'zod';
import type { Call, Client } from './client.js';
import { PartnerCenterFailure } from './failure.js';

/** How a collection goes on: by a token in a header, by an offset, or not at all. */
export type Paging = { by: 'token'; size: number } | { by: 'offset'; size: number } | { by: 'one' };

/** A collection to be read. */
export interface Collection<Item> extends Pick<Call, 'path' | 'query' | 'as' | 'priority' | 'signal'> {
  paging: Paging;
  item: z.ZodType<Item>;
}

const TOKEN_HEADER = 'MS-ContinuationToken';
/** How often a page is asked for that has fewer items than it says. */
const PAGE_ATTEMPTS = 3;

const pageForm = z.object({
  totalCount: z.coerce.number().int().optional(),
  items: z.array(z.unknown()).nullable(),
  links: z
    .object({
      next: z
        .object({
          headers: z.array(z.object({ key: z.string(), value: z.string().nullable() })).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});
type PageBody = z.infer<typeof pageForm>;

/** A page, and the token of the next one; null where it has none. */
export interface Page<Item> {
  items: Item[];
  next: string | null;
}

/**
 * Reads a collection, page after page. Addresses of next pages are printed malformed at times: they are built here, and
 * only the token is taken. A page that has fewer items than it says is asked for again.
 * @throws {PartnerCenterFailure} where it stays incomplete, goes round in a circle, or is not what it should be
 */
export async function* readPages<Item>(client: Client, collection: Collection<Item>): AsyncGenerator<Item[]> {
  for await (const { items } of readPagesFrom(client, collection, null)) yield items;
}

/** The same from where an earlier reading was, each page with the token of the next one. */
export async function* readPagesFrom<Item>(
  client: Client,
  collection: Collection<Item>,
  from: string | null,
): AsyncGenerator<Page<Item>> {
  const { paging } = collection;
  const seen = new Set<string>();
  let token = from;
  let offset = 0;
  for (;;) {
    const { items, next }: Page<Item> = await readPage(client, collection, token, offset);
    yield { items, next };
    if (paging.by === 'one') return;
    if (paging.by === 'offset') {
      if (items.length < paging.size) return;
      offset += items.length;
      continue;
    }
    if (!next) return;
    if (seen.has(next)) throw incomplete(collection, 'its pages go round in a circle');
    seen.add(next);
    token = next;
  }
}

/** All items of a collection. */
export async function readAll<Item>(client: Client, collection: Collection<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const items of readPages(client, collection)) all.push(...items);
  return all;
}

async function readPage<Item>(
  client: Client,
  collection: Collection<Item>,
  token: string | null,
  offset: number,
): Promise<Page<Item>> {
  const { path, query, as, priority, signal, item, paging } = collection;
  const place: Record<string, string> =
    paging.by === 'one' ? {} : { size: String(paging.size), ...(offset > 0 ? { offset: String(offset) } : {}) };
  if (token) place['seekOperation'] = 'Next';
  const headers: Record<string, string> = token ? { [TOKEN_HEADER]: token } : {};
  for (let attempt = 1; ; attempt += 1) {
    const call = { method: 'GET' as const, path, query: { ...query, ...place }, headers, as, priority, signal };
    const { value, requestId } = await client.call(definedOnly(call));
    const page = shaped(pageForm, value, collection, requestId);
    const given = page.items ?? [];
    if (page.totalCount === undefined || page.totalCount === given.length)
      return {
        items: given.map((one) => shaped(item, one, collection, requestId)),
        next: tokenOf(page),
      };
    if (attempt >= PAGE_ATTEMPTS)
      throw incomplete(collection, `a page has ${given.length} items and says ${page.totalCount}`, requestId);
  }
}

const tokenOf = ({ links }: PageBody): string | null =>
  links?.next?.headers?.find(({ key }) => key.toLowerCase() === TOKEN_HEADER.toLowerCase())?.value ?? null;

/** What an answer says, in the shape that it should have. @throws {PartnerCenterFailure} where it has another one */
export function shaped<Shape>(
  form: z.ZodType<Shape>,
  value: unknown,
  { path }: { path: string },
  requestId: string,
): Shape {
  const parsed = form.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw incomplete({ path }, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not as expected'}`, requestId);
}

const incomplete = ({ path }: { path: string }, what: string, requestId = '') =>
  new PartnerCenterFailure({ handling: 'unknown', status: 200, code: null, text: `${path}: ${what}`, requestId });

/** Without what is undefined: left out is not the same to everybody. */
function definedOnly(call: { [Name in keyof Call]: Call[Name] | undefined }): Call {
  return Object.fromEntries(Object.entries(call).filter(([, value]) => value !== undefined)) as unknown as Call;
}
