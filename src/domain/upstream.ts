/** Upstreams that there are, beside the gateway's own tables. */
export const UpstreamKind = { PARTNER_CENTER: 'PARTNER_CENTER' } as const;
export type UpstreamKind = (typeof UpstreamKind)[keyof typeof UpstreamKind];

/** A customer of the partner, as lists have them. */
export interface ToldCustomer {
  /** In lower case. */
  tenantId: string;
  domain: string;
  companyName: string;
  /** As the upstream calls it, such as `reseller`; null where it does not say. */
  relationship: string | null;
}

/** The same with what only the customer alone says. */
export interface ToldProfile extends ToldCustomer {
  /** ISO 3166-1 alpha-2; null where it does not say. */
  country: string | null;
  contact: { firstName: string; lastName: string; email: string; phone: string | null };
}

/** A line of an order; one that was cancelled has the quantity 0. */
export interface ToldOrderLine {
  lineNumber: number;
  /** As the catalog has them; null where the line is of something else. */
  product: { productId: string; skuId: string } | null;
  title: string | null;
  quantity: number;
  /** ISO 8601; null for what has no term. */
  termDuration: string | null;
  subscriptionId: string | null;
  /** Decimal text; null where the upstream names none. */
  unitPrice: string | null;
}

export interface ToldOrder {
  id: string;
  /** What people call it: 12 hexadecimal digits. */
  alternateId: string | null;
  placedAt: Date;
  /** In lower case, without underscores: `completed`, `pending`, `cancelled`, `error` and others. */
  state: string;
  /** In the same spelling: `onetime`, `monthly`, `annual`, `triennial` and others. */
  billingCycle: string;
  currency: string | null;
  lines: ToldOrderLine[];
}

export interface ToldSubscription {
  id: string;
  orderId: string;
  quantity: number;
  /** In lower case, without underscores: `active`, `suspended`, `deleted`, `expired` and others. */
  state: string;
  startsAt: Date;
  endsAt: Date | null;
}

/** What a customer owns by a line of an order that has no subscription: never its key. */
export interface ToldEntitlement {
  orderId: string;
  lineNumber: number;
  quantity: number;
  /** False until it can be used. */
  isProvisioned: boolean;
}

/** What somebody did upstream, by the portal or by a program. */
export interface ToldRecord {
  id: string;
  /** Tenant of the customer in lower case; null where it is about none. */
  tenantId: string | null;
  /** User principal name in lower case; null where it was a program without one. */
  actor: string | null;
  /** As the upstream writes them: new ones come without notice. */
  operation: string;
  resource: string;
  status: string;
  happenedAt: Date;
  /** Id of the action that the calls of a program belong to. */
  correlationId: string | null;
  /** Either id of the order that it is about; null where it names none. */
  orderId: string | null;
  /** Quantities of lines, by their place, as far as it names them. */
  quantities: number[];
}

/** A page of a collection, and by which words the next one is asked for; null: it was the last one. */
export interface ToldPage<Item> {
  items: Item[];
  next: string | null;
}

/** The upstream has no such thing, or does not let the partner see it (any more). */
export class UpstreamDenied extends Error {
  override name = 'UpstreamDenied';
  constructor(
    readonly reason: 'MISSING' | 'FORBIDDEN',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * What an upstream tells. It answers truly or throws, never half: `UpstreamDenied` where there is no such customer, or none
 * that the partner may see; whatever else may be asked again. Lists may be behind; what is asked for by its id is not.
 */
export interface Upstream {
  readonly kind: UpstreamKind;
  /** How far lists are behind at most. */
  readonly listsBehindMs: number;
  /** All customers, page by page. @param from words of an earlier page; null: from the beginning */
  customers(from: string | null, signal?: AbortSignal): AsyncIterable<ToldPage<ToldCustomer>>;
  customer(tenantId: string, signal?: AbortSignal): Promise<ToldProfile>;
  orders(tenantId: string, signal?: AbortSignal): Promise<ToldOrder[]>;
  /** One order, by either of its ids. */
  order(tenantId: string, orderId: string, signal?: AbortSignal): Promise<ToldOrder>;
  subscriptions(tenantId: string, signal?: AbortSignal): Promise<ToldSubscription[]>;
  entitlements(tenantId: string, signal?: AbortSignal): Promise<ToldEntitlement[]>;
  /** What was done from a day of UTC to another one, both included, page by page. */
  records(from: string, until: string, signal?: AbortSignal): AsyncIterable<ToldRecord[]>;
  /** How many days back it knows what was done. */
  readonly recordDays: number;
}

/** The way to an upstream, as operators look after it. */
export interface UpstreamAccount {
  kind: UpstreamKind;
  isSandbox: boolean;
  /** Calls of all processes together in a minute, and how many of this minute were made. */
  callsPerMinute: number;
  callsUsed(): Promise<number>;
  /** When somebody has to have signed in again; null where nobody is signed in. */
  signInDueAt(): Promise<Date | null>;
}
