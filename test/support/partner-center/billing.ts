import type { BillingLine, Order, OrderLine } from './state.js';
import type { World } from './world.js';

/** A line of the next invoice. */
export function billingLine(
  order: Order,
  line: OrderLine,
  chargeType: BillingLine['chargeType'],
  atMs: number,
): BillingLine {
  const { id: orderId, alternateId, customerId } = order;
  const { productId, skuId, catalogItemId, title, subscriptionId, termDuration, unitPrice, quantity } = line;
  const product = { productId, skuId, catalogItemId, title, subscriptionId, termDuration, unitPrice };
  const signed = chargeType === 'new' ? quantity : -quantity;
  return { invoiceId: null, customerId, orderId, alternateId, ...product, chargeType, quantity: signed, atMs };
}

/** Where the month of an instant begins. */
const monthOf = (ms: number) => {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
};

const nextMonth = (monthMs: number) => monthOf(monthMs + 32 * 86_400_000);

/** Makes invoices of the months that are over by the clock: charges and credits, whatever they belong to. */
export function closeMonths(world: World): void {
  const { state } = world;
  const thisMonth = monthOf(world.now());
  const open = state.lines.filter(({ invoiceId, atMs }) => invoiceId === null && atMs < thisMonth);
  for (const fromMs of [...new Set(open.map(({ atMs }) => monthOf(atMs)))].sort((one, other) => one - other)) {
    const toMs = nextMonth(fromMs);
    const lines = open.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
    const id = `${world.options.isSandbox ? 'D' : 'G'}${String(state.invoices.length + 1).padStart(9, '0')}`;
    for (const line of lines) line.invoiceId = id;
    const total = lines.reduce(
      (sum, { unitPrice, quantity }) => sum + Math.round(Number(unitPrice) * 100) * quantity,
      0,
    );
    state.invoices.push({ id, fromMs, toMs, total: (total / 100).toFixed(2), version: 1 });
    world.record({ customerId: '', resourceType: 'invoice', operationType: 'ready_invoice', value: { Id: id } });
    world.hint('invoice-ready', `/v1/invoices/${id}`, 'invoice');
  }
}

/** A line as the JSON of the service and of the export names it. */
export function showBillingLine(world: World, line: BillingLine) {
  const { productId, skuId, catalogItemId, title, chargeType, quantity, unitPrice, atMs, subscriptionId } = line;
  const customer = world.state.customers.find(({ id }) => id === line.customerId);
  const subtotal = (Math.round(Number(unitPrice) * 100) * quantity) / 100;
  return {
    PartnerId: world.partnerId,
    CustomerId: line.customerId,
    CustomerName: customer?.companyName ?? '',
    CustomerDomainName: customer?.domain ?? '',
    CustomerCountry: customer?.country ?? '',
    InvoiceNumber: line.invoiceId ?? '',
    MpnId: '1234567',
    Tier2MpnId: '',
    // Both ids in one cell, as files have them.
    OrderId: `${line.orderId},${line.alternateId}`,
    OrderDate: world.iso(atMs),
    ProductId: productId,
    SkuId: skuId,
    AvailabilityId: catalogItemId.split(':')[2],
    SkuName: title,
    ProductName: title,
    ChargeType: chargeType,
    UnitPrice: Number(unitPrice),
    Quantity: Math.abs(quantity),
    Subtotal: subtotal,
    TaxTotal: 0,
    Total: subtotal,
    Currency: 'USD',
    PriceAdjustmentDescription: '[]',
    PublisherName: 'Microsoft',
    PublisherId: '',
    SubscriptionDescription: subscriptionId ? title : '',
    SubscriptionId: subscriptionId,
    ChargeStartDate: world.iso(atMs),
    ChargeEndDate: world.iso(atMs),
    TermAndBillingCycle: line.termDuration ? 'One-Year commitment for yearly billing' : 'One-time',
    EffectiveUnitPrice: Number(unitPrice),
    UnitType: 'Licenses',
    AlternateId: line.alternateId,
    BillableQuantity: quantity,
    BillingFrequency: line.termDuration ? 'Annual' : '',
    PricingCurrency: 'USD',
    PCToBCExchangeRate: 1,
    PCToBCExchangeRateDate: world.iso(atMs),
    MeterDescription: '',
    ReservationOrderId: '',
    CreditReasonCode: '',
    SubscriptionStartDate: subscriptionId ? world.iso(atMs) : '',
    SubscriptionEndDate: '',
    ReferenceId: '',
    ProductQualifiers: [],
    PromotionId: '',
    ProductCategory: 'Software',
  };
}
