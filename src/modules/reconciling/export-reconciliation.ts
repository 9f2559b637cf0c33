import { type Kysely, sql } from 'kysely';
import { microsoftChargeTypes } from '../../domain/charge-type.js';
import { type BillingPlan, ProductKind, type Segment } from '../../domain/product-kind.js';
import type { ReconciliationCells } from '../../partner-center/reconciliation/read-lines.js';
import { inEnglish, termText } from '../../partner-center/reconciliation/write-rows.js';

interface OurLine {
  id: string;
  bookedAt: string;
  tenantId: string;
  companyName: string;
  domain: string;
  market: string;
  segment: Segment;
  /** Null as long as the month is open. */
  invoiceNumber: string | null;
  orderNumber: string;
  orderDay: string;
  productId: string;
  skuId: string;
  skuTitle: string;
  productTitle: string;
  publisher: string;
  kind: ProductKind;
  termDuration: string | null;
  billingPlan: BillingPlan;
  termStart: string | null;
  termEnd: string | null;
  orderLineId: string;
  chargeType: keyof typeof microsoftChargeTypes;
  chargeStart: string | null;
  chargeEnd: string | null;
  quantity: number;
  unitAmount: string;
  amount: string;
}

/** Lines read at a time; about a megabyte. */
const BATCH_LINES = 1_000;

/** In which currencies anything was invoiced for a month. @param month its first day */
// biome-ignore lint/suspicious/noExplicitAny: the statement names its own columns
export async function invoicedCurrencies(database: Kysely<any>, month: string): Promise<string[]> {
  const { rows } = await sql<{ currency: string }>`
    select distinct i.currency from invoices i
    where i.period_start = ${month}::date and exists (select 1 from invoice_lines l where l.invoice_id = i.id)
    order by 1`.execute(database);
  return rows.map(({ currency }) => currency);
}

/**
 * The lines of our invoices of a month in one currency as Microsoft would write them, in batches, in the order in which they
 * were booked. What we do not know is left blank. A credit has its sign in the quantity, so that the price times the
 * quantity is the amount.
 * @param month its first day
 */
export async function* exportReconciliation(
  // biome-ignore lint/suspicious/noExplicitAny: as above
  database: Kysely<any>,
  { month, currency }: { month: string; currency: string },
): AsyncGenerator<ReconciliationCells[]> {
  let after: { bookedAt: string; id: string } | null = null;
  for (;;) {
    const { rows }: { rows: OurLine[] } = await sql<OurLine>`
      select l.id, to_char(l.booked_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "bookedAt",
        c.tenant_id as "tenantId", c.company_name as "companyName", c.domain, c.market_code as market, c.segment,
        coalesce(i.number, '') as "invoiceNumber", o.number as "orderNumber", (o.placed_at at time zone 'UTC')::date::text as "orderDay",
        p.product_id as "productId", s.sku_id as "skuId", s.title as "skuTitle", p.title as "productTitle", p.publisher,
        s.kind, s.term_duration as "termDuration", coalesce(ol.billing_plan, s.billing_plan) as "billingPlan",
        ol.term_start::text as "termStart", ol.term_end::text as "termEnd", ol.id as "orderLineId",
        l.charge_type as "chargeType", l.charge_start::text as "chargeStart", l.charge_end::text as "chargeEnd",
        l.quantity, l.unit_amount::text as "unitAmount", l.amount::text as amount
      from invoices i
      join invoice_lines l on l.invoice_id = i.id
      join customers c on c.id = i.customer_id
      join order_lines ol on ol.id = l.order_line_id
      join orders o on o.id = ol.order_id
      join skus s on s.id = ol.sku_id
      join products p on p.id = s.product_id
      where i.period_start = ${month}::date and i.currency = ${currency}
        and ${after === null ? sql`true` : sql`(l.booked_at, l.id) > (${after.bookedAt}::timestamptz, ${after.id}::uuid)`}
      order by l.booked_at, l.id limit ${BATCH_LINES}`.execute(database);
    const last: OurLine | undefined = rows.at(-1);
    if (!last) return;
    yield rows.map((line) => cellsOf(line, currency));
    after = last;
  }
}

function cellsOf(line: OurLine, currency: string): ReconciliationCells {
  const isCredit = line.amount.startsWith('-');
  const quantity = `${isCredit ? '-' : ''}${line.quantity}`;
  return {
    CustomerId: line.tenantId,
    CustomerName: line.companyName,
    CustomerDomainName: line.domain,
    CustomerCountry: line.market,
    InvoiceNumber: line.invoiceNumber ?? '',
    OrderId: line.orderNumber,
    OrderDate: inEnglish(line.orderDay),
    ProductId: line.productId,
    SkuId: line.skuId,
    SkuName: line.skuTitle,
    ProductName: line.productTitle,
    ChargeType: microsoftChargeTypes[line.chargeType],
    UnitPrice: line.unitAmount,
    Quantity: quantity,
    Subtotal: line.amount,
    TaxTotal: '0',
    Total: line.amount,
    Currency: currency,
    PublisherName: line.publisher,
    ChargeStartDate: inEnglish(line.chargeStart),
    ChargeEndDate: inEnglish(line.chargeEnd),
    TermAndBillingCycle: termText(line.termDuration, line.kind === ProductKind.AZURE_RESERVATION),
    EffectiveUnitPrice: line.unitAmount,
    AlternateId: line.orderNumber,
    BillableQuantity: quantity,
    BillingFrequency: line.billingPlan === 'ONE_TIME' ? '' : titled(line.billingPlan),
    PricingCurrency: currency,
    PCToBCExchangeRate: '1',
    SubscriptionStartDate: inEnglish(line.termStart),
    SubscriptionEndDate: inEnglish(line.termEnd),
    ReferenceId: line.orderLineId,
    ProductQualifiers: JSON.stringify([titled(line.segment)]),
  };
}

const titled = (name: string): string => name.charAt(0) + name.slice(1).toLowerCase();
