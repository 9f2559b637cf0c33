import type { World } from './world.js';

/** Who a token is for, and whom it stands for. */
export interface Bearer {
  audience: string;
  isUser: boolean;
  hasMfa: boolean;
}

/** One call, as handlers see it. */
export interface Call {
  world: World;
  method: string;
  path: string;
  /** What the pattern of its route has names for. */
  ids: Record<string, string>;
  query: URLSearchParams;
  header(name: string): string | undefined;
  body: Record<string, unknown>;
  /** Where the simulator listens, for addresses in answers. */
  base: string;
}

/** What is answered. */
export interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A refusal in the shape of the service. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Audiences of tokens. */
export const PARTNER_CENTER = 'https://api.partnercenter.microsoft.com';
export const GRAPH = 'https://graph.microsoft.com';

/** An address that the simulator answers. */
export interface Route {
  method: string;
  /** Such as `/v1/customers/:customer/orders`. */
  pattern: string;
  /** Whose token it wants: an app's or a user's, a user's alone, none. */
  wants?: 'user' | 'nobody';
  audience?: string;
  handle(call: Call): Answer | Promise<Answer>;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown): Answer => ({ status: 201, body });

/** A link as resources carry it. */
export const link = (uri: string, headers: { key: string; value: string }[] = []) => ({ uri, method: 'GET', headers });

/** Everything on one page. `totalCount` is of the page, as in all samples. */
export function onePage(items: unknown[], self: string) {
  return {
    totalCount: items.length,
    items,
    links: { self: link(self) },
    attributes: { objectType: 'Collection' },
  };
}

/** A page by continuation token: the next one has the token in a header of its link. */
export function tokenPage({ world, path, query, header }: Call, all: unknown[], size: number) {
  const token = header('ms-continuationtoken');
  const from = token ? Number(Buffer.from(token, 'base64').toString()) : 0;
  const items = all.slice(from, from + size);
  const next = from + size;
  const page = onePage(items, `${path}?${query}`);
  if (next >= all.length) return page;
  const value = Buffer.from(String(next)).toString('base64');
  const isMalformed = world.faults.strikes('malformedNextLinks', path);
  const address = path.replace(/^\/v1/, '');
  const uri = isMalformed ? `${address}?size=${size}?seekOperation=Next` : `${address}?size=${size}&seekOperation=Next`;
  const links = { ...page.links, next: link(uri, [{ key: 'MS-ContinuationToken', value }]) };
  return { ...page, links };
}

/** A page by offset. */
export function offsetPage({ path, query }: Call, all: unknown[]) {
  const size = Number(query.get('size') ?? all.length);
  const from = Number(query.get('offset') ?? 0);
  const page = onePage(all.slice(from, from + size), `${path}?${query}`);
  if (from + size >= all.length) return page;
  return { ...page, links: { ...page.links, next: link(`${path}?size=${size}&offset=${from + size}`) } };
}

/** Compares ids as the service does: without case. */
export const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
