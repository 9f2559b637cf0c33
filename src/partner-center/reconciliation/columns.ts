import { FileRefused } from '../files/file-refused.js';
import { quoted } from '../files/shown-text.js';

/** Columns of the new-commerce reconciliation file in the order in which Microsoft writes them. */
export const RECONCILIATION_COLUMNS = [
  'PartnerId',
  'CustomerId',
  'CustomerName',
  'CustomerDomainName',
  'CustomerCountry',
  'InvoiceNumber',
  'MpnId',
  'ResellerMpnId',
  'OrderId',
  'OrderDate',
  'ProductId',
  'SkuId',
  'AvailabilityId',
  'SkuName',
  'ProductName',
  'ChargeType',
  'UnitPrice',
  'Quantity',
  'Subtotal',
  'TaxTotal',
  'Total',
  'Currency',
  'PriceAdjustmentDescription',
  'PublisherName',
  'PublisherId',
  'SubscriptionDescription',
  'SubscriptionId',
  'ChargeStartDate',
  'ChargeEndDate',
  'TermAndBillingCycle',
  'EffectiveUnitPrice',
  'UnitType',
  'AlternateId',
  'BillableQuantity',
  'BillingFrequency',
  'PricingCurrency',
  'PCToBCExchangeRate',
  'PCToBCExchangeRateDate',
  'MeterDescription',
  'ReservationOrderId',
  'CreditReasonCode',
  'SubscriptionStartDate',
  'SubscriptionEndDate',
  'ReferenceId',
  'ProductQualifiers',
  'PromotionId',
] as const;

/** A column of the reconciliation file, by the name that this gateway has for it. */
export type ReconciliationColumn = (typeof RECONCILIATION_COLUMNS)[number];

/** Other names that the same columns have had: in files of other years, in the billing export, in the API. */
const ALIASES: Readonly<Record<string, ReconciliationColumn>> = {
  tier2mpnid: 'ResellerMpnId',
  totalforcustomer: 'Total',
  customerdomain: 'CustomerDomainName',
};

/** Without them a line cannot be told from another, or says no amount. */
const NEEDED = ['CustomerId', 'OrderId', 'ProductId', 'SkuId', 'ChargeType', 'Subtotal', 'Total', 'Currency'] as const;
/** Columns of which one is enough: the change, and the seats after it in files from before the change was in them. */
const QUANTITIES = ['BillableQuantity', 'Quantity'] as const;

/** Columns by which a file is known that is another one. */
const OTHER_FILES = [
  [['usagedate', 'meterid', 'metertype'], 'a daily rated usage file, which holds no software and no reservations'],
  [['durableofferid', 'syndicationpartnersubscriptionnumber'], 'a file of licences from before new commerce'],
  [['pricingtierrangemin', 'effectivestartdate'], 'a price list; import it with npm run import:price-list'],
] as const;

const keyOf = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[\s_-]/g, '');
const byKey = new Map<string, ReconciliationColumn>([
  ...RECONCILIATION_COLUMNS.map((column): [string, ReconciliationColumn] => [keyOf(column), column]),
  ...Object.entries(ALIASES),
]);

/** The column that a name stands for, in any case; undefined for one that is not known. */
export const columnOf = (name: string): ReconciliationColumn | undefined => byKey.get(keyOf(name));

/**
 * Looks whether these are the columns of a reconciliation file; answers the names that are not known.
 * @throws {FileRefused} naming what is missing or there twice, or what the file is instead
 */
export function judgeColumns(names: readonly string[]): string[] {
  const keys = new Set(names.map(keyOf));
  const other = OTHER_FILES.find(([telling]) => telling.every((key) => keys.has(key)));
  if (other) throw new FileRefused(`This is ${other[1]}, and not a reconciliation file of new commerce.`);
  const known = names.map(columnOf);
  const missing = [
    ...NEEDED.filter((column) => !known.includes(column)),
    ...(QUANTITIES.some((column) => known.includes(column)) ? [] : [QUANTITIES.join(' or ')]),
  ];
  const twice = names.filter((_, at) => known[at] !== undefined && known.indexOf(known[at]) !== at);
  if (missing.length + twice.length > 0) {
    const faults = [
      ...(missing.length > 0 ? [`columns are missing: ${missing.join(', ')}`] : []),
      ...(twice.length > 0 ? [`columns are there twice: ${twice.map(quoted).join(', ')}`] : []),
    ];
    throw new FileRefused(`This is not a reconciliation file of new commerce: ${faults.join('; ')}.`);
  }
  return names.filter((_, at) => known[at] === undefined);
}
