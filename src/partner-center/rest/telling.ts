import {
  type ToldCustomer,
  type ToldEntitlement,
  type ToldOrder,
  type ToldRecord,
  type ToldSubscription,
  type Upstream,
  UpstreamDenied,
  UpstreamKind,
} from '../../domain/upstream.js';
import { PartnerCenterFailure } from './failure.js';
import type { PartnerCenter } from './partner-center.js';
import type {
  AuditRecord,
  ListedCustomer,
  UpstreamEntitlement,
  UpstreamOrder,
  UpstreamSubscription,
} from './resources.js';
import { guidOf, wordOf } from './spelling.js';

/** How far lists of orders are behind, as the documents have it. */
const LISTS_BEHIND_MS = 15 * 60_000;
/** How many days back audit records are answered, today among them: more are refused. */
const RECORD_DAYS = 90;
/** What an item of the catalog is called: product, SKU, and an availability that is soon replaced. */
const CATALOG_ITEM = /^([A-Z0-9]{12}):([A-Z0-9]{1,4})(?::|$)/i;
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Partner Center as the business knows an upstream: what it tells, in words that are nobody's service. */
export function tellingOf(partnerCenter: PartnerCenter): Upstream {
  return {
    kind: UpstreamKind.PARTNER_CENTER,
    listsBehindMs: LISTS_BEHIND_MS,
    recordDays: RECORD_DAYS,
    customers: async function* (from, signal) {
      for await (const { items, next } of partnerCenter.customersFrom(from, { signal }))
        yield { items: items.map(customerOf), next };
    },
    customer: (tenantId, signal) =>
      orDenied(async () => {
        const found = await partnerCenter.customer(tenantId, { signal });
        const { firstName, lastName, email, phoneNumber, defaultAddress } = found.billingProfile ?? {};
        return {
          ...customerOf(found),
          country: defaultAddress?.country?.toUpperCase() ?? null,
          contact: {
            firstName: firstName ?? '',
            lastName: lastName ?? '',
            email: email ?? '',
            phone: (phoneNumber ?? defaultAddress?.phoneNumber) || null,
          },
        };
      }),
    orders: (tenantId, signal) => orDenied(async () => (await partnerCenter.orders(tenantId, { signal })).map(orderOf)),
    order: (tenantId, orderId, signal) =>
      orDenied(async () => orderOf(await partnerCenter.order(tenantId, orderId, { signal }))),
    subscriptions: (tenantId, signal) =>
      orDenied(async () => (await partnerCenter.subscriptions(tenantId, { signal })).map(subscriptionOf)),
    entitlements: (tenantId, signal) =>
      orDenied(async () => (await partnerCenter.entitlements(tenantId, { signal })).map(entitlementOf)),
    records: async function* (from, until, signal) {
      for await (const items of partnerCenter.auditRecords(from, until, { signal })) yield items.map(recordOf);
    },
  };
}

/** @throws {UpstreamDenied} where the service does not know what was asked for, or does not show it */
async function orDenied<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof PartnerCenterFailure)) throw error;
    const { handling, message } = error;
    if (handling === 'missing') throw new UpstreamDenied('MISSING', message, { cause: error });
    if (handling === 'forbidden') throw new UpstreamDenied('FORBIDDEN', message, { cause: error });
    throw error;
  }
}

function customerOf({ id, companyProfile, relationshipToPartner }: ListedCustomer): ToldCustomer {
  const { domain, companyName } = companyProfile;
  return { tenantId: id, domain: domain.toLowerCase(), companyName, relationship: relationshipToPartner ?? null };
}

function orderOf({
  id,
  alternateId,
  creationDate,
  status,
  billingCycle,
  currencyCode,
  lineItems,
}: UpstreamOrder): ToldOrder {
  return {
    id,
    alternateId: alternateId?.toLowerCase() ?? null,
    placedAt: creationDate,
    state: status,
    billingCycle: billingCycle ?? '',
    currency: currencyCode?.toUpperCase() ?? null,
    lines: lineItems.map((line) => ({
      lineNumber: line.lineItemNumber,
      product: productOf(line.offerId),
      title: line.friendlyName || null,
      quantity: line.quantity,
      termDuration: line.termDuration || null,
      subscriptionId: guidOrNull(line.subscriptionId),
      unitPrice: line.pricing?.price ?? line.pricing?.listPrice ?? null,
    })),
  };
}

/** Spreadsheets and some answers take the zeros of a SKU's id away. */
function productOf(offerId: string): { productId: string; skuId: string } | null {
  const [, productId, skuId] = CATALOG_ITEM.exec(offerId) ?? [];
  return productId && skuId
    ? { productId: productId.toUpperCase(), skuId: skuId.toUpperCase().padStart(4, '0') }
    : null;
}

function subscriptionOf(told: UpstreamSubscription): ToldSubscription {
  const { id, orderId, quantity, status, creationDate, effectiveStartDate, commitmentEndDate } = told;
  return {
    id,
    orderId,
    quantity,
    state: status,
    startsAt: effectiveStartDate ?? creationDate,
    endsAt: commitmentEndDate ?? null,
  };
}

function entitlementOf({ referenceOrder, quantity, fulfillmentState }: UpstreamEntitlement): ToldEntitlement {
  const { id: orderId, lineItemId: lineNumber } = referenceOrder;
  // What it says nothing of can be used; other words than these are not known.
  const isProvisioned = !['unfulfilled', 'prefulfillmentpending', 'pending'].includes(wordOf(fulfillmentState ?? ''));
  return { orderId, lineNumber, quantity, isProvisioned };
}

function recordOf(record: AuditRecord): ToldRecord {
  const { id, customerId, userPrincipalName, operationType, resourceType, operationStatus, operationDate } = record;
  const data = record.customizedData ?? [];
  const dataOf = (name: string) => data.find(({ key }) => key.toLowerCase() === name.toLowerCase())?.value || null;
  return {
    id,
    tenantId: guidOrNull(customerId),
    actor: userPrincipalName?.toLowerCase() || null,
    operation: operationType,
    resource: resourceType,
    status: operationStatus,
    happenedAt: operationDate,
    correlationId: guidOrNull(record.originalCorrelationId),
    orderId: dataOf('OrderId') ?? dataOf('AlternateId'),
    quantities: data
      .flatMap(({ key, value }) =>
        /^Quantity-\d+$/i.test(key) && value ? [{ place: Number(key.slice(9)), value }] : [],
      )
      .sort((one, other) => one.place - other.place)
      .map(({ value }) => Number(value))
      .filter(Number.isSafeInteger),
  };
}

/** Ids that are none are of no use to anybody. */
function guidOrNull(text: string | null | undefined): string | null {
  const guid = guidOf(text ?? '');
  return GUID.test(guid) && guid !== '00000000-0000-0000-0000-000000000000' ? guid : null;
}
