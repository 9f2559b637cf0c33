import { randomUUID } from 'node:crypto';
import { toGlobalId } from '../../src/domain/global-id.js';
import type { ProductKind } from '../../src/domain/product-kind.js';
import type { RefundOption } from '../../src/domain/refund-option.js';
import { newProductKey } from '../../src/modules/entitlements/product-key.js';
import { PurchaseDocument } from '../generated/graphql.js';
import type { TestGateway } from './gateway.js';

/** A customer of a test's own; `id` is the graph's. */
export interface TestCustomer {
  id: string;
  rowId: string;
  tenantId: string;
  domain: string;
}

/** SKUs that tests buy, by kind: real ids of the reference catalog. */
export const skus = {
  /** Perpetual: SQL Server 2019 Enterprise Core. */
  perpetual: { productId: 'DG7GMGF0FKZV', skuId: '0001' },
  /** Subscription for three years: SQL Server Enterprise. */
  subscription: { productId: 'DG7GMGF0FKZV', skuId: '0003' },
  reservation: { productId: 'DZH318Z0BQ36', skuId: '004G' },
} as const;

/**
 * Adds a customer; every one has tenant and domain of its own. Keys are invented for it where the pool has none, unless
 * it is none of the demonstration.
 * @param mark a word, in lower case, that is to be in every text of it
 */
export async function aCustomer(
  gateway: Pick<TestGateway, 'sql'>,
  { market = 'US', segment = 'COMMERCIAL', mark = '', isDemonstration = true } = {},
): Promise<TestCustomer> {
  const rowId = randomUUID();
  const tenantId = randomUUID();
  const name = mark || rowId.slice(0, 8);
  const domain = `${name}.onmicrosoft.com`;
  await gateway.sql(
    `insert into customers (id, tenant_id, domain, company_name, market_code, segment, contact_first_name, contact_last_name, contact_email, created_at, is_demonstration)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, now(), ?)`,
    [
      ...[rowId, tenantId, domain, `Company ${name}`, market, segment],
      ...(mark ? [`Pat ${mark}`, `Doe ${mark}`, `pat@${mark}.example`] : ['Pat', 'Doe', 'pat@example.com']),
      isDemonstration,
    ],
  );
  return { id: toGlobalId('Customer', rowId), rowId, tenantId, domain };
}

/** Sets the price of a SKU from `from` until `to`; instants as ISO 8601. */
export async function aPrice(
  gateway: Pick<TestGateway, 'sql'>,
  sku: { productId: string; skuId: string },
  unitPrice: string,
  {
    market = 'US',
    currency = 'USD',
    segment = 'COMMERCIAL',
    from = '2020-01-01T00:00:00Z',
    to = '9999-11-30T23:59:59Z',
    tierMin = null as number | null,
    tierMax = null as number | null,
  } = {},
): Promise<void> {
  await gateway.sql(
    `insert into prices (id, sku_id, market_code, currency, segment, unit_price, effective_start_date, effective_end_date, pricing_tier_range_min, pricing_tier_range_max, source)
     select ?, s.id, ?, ?, ?, ?, ?, ?, ?, ?, 'INVENTED' from skus s join products p on p.id = s.product_id where p.product_id = ? and s.sku_id = ?`,
    [randomUUID(), market, currency, segment, unitPrice, from, to, tierMin, tierMax, sku.productId, sku.skuId],
  );
}

/** A SKU of a kind out of the reference catalog. */
export async function aSkuOf(gateway: TestGateway, kind: ProductKind): Promise<{ productId: string; skuId: string }> {
  const [sku] = await gateway.sql<{ productId: string; skuId: string }>(
    `select p.product_id as "productId", s.sku_id as "skuId" from skus s join products p on p.id = s.product_id where s.kind = ? order by 1, 2 limit 1`,
    [kind],
  );
  if (!sku) throw new Error(`the catalog has no ${kind}`);
  return sku;
}

/** The policy of software subscriptions. */
const thirtyDays: RefundOption[] = [{ sequence: 0, type: 'PARTIAL', expiresAfter: 'P30D' }];

/** A SKU of a test's own, with a product of its own; a subscription for a month, unless said otherwise. */
export async function aSku(
  gateway: TestGateway,
  {
    kind = 'SOFTWARE_SUBSCRIPTION' as ProductKind,
    term = 'P1M' as string | null,
    refundOptions = thirtyDays as RefundOption[],
    supportRequestRequired = false,
    minimum = 1,
    maximum = 10_000,
    title = 'A SKU',
  } = {},
): Promise<{ productId: string; skuId: string }> {
  const id = randomUUID();
  const sku = { productId: id.replaceAll('-', '').slice(0, 12).toUpperCase(), skuId: '0001' };
  await gateway.sql('insert into products (id, product_id, title, publisher) values (?, ?, ?, ?)', [
    id,
    sku.productId,
    `Product of ${title}`,
    'Publisher',
  ]);
  const rowId = randomUUID();
  await gateway.sql(
    `insert into skus (id, product_id, sku_id, title, kind, term_duration, minimum_quantity, maximum_quantity)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
    [rowId, id, sku.skuId, title, kind, term, minimum, maximum],
  );
  await gateway.sql(
    `insert into cancellation_policies (id, kind, sku_id, effective_date, refund_options, support_request_required)
     values (?, ?, ?, '2020-01-01', ?::jsonb, ?)`,
    [randomUUID(), kind, rowId, JSON.stringify(refundOptions), supportRequestRequired],
  );
  return sku;
}

/** What `storeProductKeys` is sent: a new key of software that no test has keys of otherwise. */
export const keysToStore = () => ({ ...skus.subscription, version: '2025', productKeys: [newProductKey()] });

/** Prices of the SKUs above in US dollars. */
export async function stockShop(gateway: Pick<TestGateway, 'sql'>): Promise<void> {
  await aPrice(gateway, skus.perpetual, '13748.00');
  await aPrice(gateway, skus.subscription, '16302.00');
  await aPrice(gateway, skus.reservation, '2400.00');
}

/** Buys, and answers the order as the graph shows it. Fails where the purchase is refused. */
export async function buy(
  gateway: TestGateway,
  customer: TestCustomer,
  lines: { productId: string; skuId: string; quantity: number }[],
) {
  const { data, errors } = await gateway.run(
    PurchaseDocument,
    { input: { idempotencyKey: randomUUID(), customerId: customer.id, lines } },
    'ADMIN_AGENT',
  );
  if (data?.purchase?.__typename !== 'PurchaseSuccess') throw new Error(JSON.stringify({ data, errors }));
  return data.purchase.order;
}

/** Moves an order, its lines' refund options and its entitlements `days` into the past, as if it had been placed then. */
export async function age(gateway: TestGateway, orderNumber: string, days: number): Promise<void> {
  const interval = `${days} days`;
  await gateway.sql('update orders set placed_at = placed_at - ?::interval where number = ?', [interval, orderNumber]);
  await gateway.sql(
    `update order_lines set cancellable_until = cancellable_until - ?::interval,
       refund_options = coalesce((select jsonb_agg(jsonb_set(option, '{expiresAt}', to_jsonb(to_char(((option ->> 'expiresAt')::timestamptz - ?::interval) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))))
         from jsonb_array_elements(refund_options) as option), '[]'), term_start = (term_start - ?::interval)::date, term_end = (term_end - ?::interval)::date
     where order_id = (select id from orders where number = ?)`,
    [interval, interval, interval, interval, orderNumber],
  );
}

/** A line of a reconciliation file that is equal to a line of our invoices. Answers global ids of both. */
export async function aReconciledLine(
  gateway: TestGateway,
  invoiceLineId: string,
): Promise<{ Reconciliation: string; ReconciliationLine: string }> {
  const [file, line] = [randomUUID(), randomUUID()];
  await gateway.sql(
    `insert into reconciliations (id, sha256, file_name, format, columns, kind, month, currency, row_count, refused_row_count, total, tolerance, imported_at, imported_by, compared_at)
     values (?, ?, 'file.csv', 'CSV', '[]', 'BILLED', '2026-10-01', 'USD', 1, 0, 1, 0, now(), 'operator', now())`,
    [file, (file + line).replaceAll('-', '')],
  );
  await gateway.sql(
    `insert into reconciliation_lines (id, reconciliation_id, verdict, line, invoice_line_id, matched_by, customer_id, customer_tenant_id, customer_name, month, our_month, charge_type, currency, their_amount, our_amount)
     select ?, ?, 'EQUAL', 2, l.id, 'ORDER', c.id, c.tenant_id, c.company_name, '2026-10-01', '2026-10-01', 'new', i.currency, l.amount, l.amount
     from invoice_lines l join invoices i on i.id = l.invoice_id join customers c on c.id = i.customer_id where l.id = ?`,
    [line, file, invoiceLineId.slice(4)],
  );
  return {
    Reconciliation: toGlobalId('Reconciliation', file),
    ReconciliationLine: toGlobalId('ReconciliationLine', line),
  };
}

/** A job about an order, which is not due for an hour: nothing comes of it by itself. Answers its global id. */
export async function aJob(gateway: TestGateway, order: { id: string }): Promise<string> {
  const id = randomUUID();
  await gateway.sql(
    `insert into pgboss.job (id, name, data, start_after, keep_until) values (?, 'purchase', jsonb_build_object('orderId', ?::text), now() + interval '1 hour', now() + interval '1 year')`,
    [id, order.id.slice(4)],
  );
  return toGlobalId('Job', id);
}
