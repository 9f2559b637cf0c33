import type { ProductKind, WindowsServerEdition } from '../../domain/product-kind.js';
import type { CancellationTerms, RefundOption } from '../../domain/refund-option.js';
import catalog from './catalog.json' with { type: 'json' };
import marketData from './markets.json' with { type: 'json' };
import policyData from './policies.json' with { type: 'json' };

/** A row of the seed's table of markets closed to Azure reservations, as printed. Several rows may share a code. */
export interface ReferenceMarketClosure {
  /** ISO 3166-1 alpha-2, or XK. */
  code: string;
  nameEn: string;
  nameIt: string;
  /** ISO 3166-2, where the row is part of its code's territory. */
  subdivision?: string;
  note?: string;
}

/** A market with the currencies it is sold in, the default one first. */
export interface ReferenceMarket {
  code: string;
  nameEn: string;
  nameIt: string;
  currencies: string[];
  /** Rule 2: prices include tax. */
  taxInclusive?: boolean;
}

/** One choice of rule 7: a version of a software with its languages (BCP 47) and architectures. */
export interface ReferenceSoftwareVersion {
  version: string;
  languages: string[];
  architectures: string[];
}

/** A SKU as known from public material; what is marked invented is ours. */
export interface ReferenceSku {
  productId: string;
  skuId: string;
  skuIdInvented?: boolean;
  title: string;
  titleInvented?: boolean;
  kind: ProductKind;
  termDuration?: string;
  billingPlan: 'ONE_TIME' | 'MONTHLY' | 'ANNUAL' | 'TRIENNIAL';
  maximumQuantity?: number;
  /** Rule 13: its own; without it that of its kind holds. */
  policy?: CancellationTerms;
  policyInvented?: boolean;
  windowsServerEdition?: WindowsServerEdition;
  coresPerUnit?: number;
  /** Newest first; empty where the SKU gives neither keys nor downloads. */
  softwareVersions: ReferenceSoftwareVersion[];
  source: string;
}

/** A family of SKUs under one product id. */
export interface ReferenceProduct {
  productId: string;
  productIdInvented?: boolean;
  title: string;
  publisher: string;
  skus: ReferenceSku[];
}

/** A SKU as written in catalog.json: its policy and versions are named, not spelled out. */
type WrittenSku = Omit<ReferenceSku, 'productId' | 'softwareVersions' | 'policy'> & {
  policy?: keyof typeof policyData.policies;
  software?: keyof typeof catalog.softwareVersions;
};

/** The seed's table: 109 rows of 106 codes (rule 1). */
export const referenceClosures: readonly ReferenceMarketClosure[] = marketData.closedToReservations;

/** Every market, closed or open: the 249 codes of ISO 3166-1 and XK. */
export const referenceMarkets: ReadonlyMap<string, ReferenceMarket> = new Map(
  marketData.markets.map((market): [string, ReferenceMarket] => [market.code, market]),
);

/**
 * The market with a code.
 * @throws when there is none
 */
export function marketOf(code: string): ReferenceMarket {
  const market = referenceMarkets.get(code);
  if (!market) throw new Error(`No market has the code ${code}`);
  return market;
}

/** The codes closed to AZURE_RESERVATION (rule 1). */
export const codesClosedToReservations: ReadonlySet<string> = new Set(referenceClosures.map(({ code }) => code));

/** Microsoft's separate list of markets closed to SOFTWARE_SUBSCRIPTION, as printed: not in effect unless an operator puts it so. */
export const softwareSubscriptionClosures: readonly ReferenceMarketClosure[] = [
  ...referenceClosures.filter(({ code }) => !marketData.closedToSoftwareSubscriptions.without.includes(code)),
  ...marketData.closedToSoftwareSubscriptions.with,
];

/** The day (UTC) from which reference data holds where its source names none: before anything was sold. */
export const REFERENCE_DATE = '2018-09-01';

/** A policy of every SKU of a kind that has none of its own. */
export interface KindPolicy extends CancellationTerms {
  kind: ProductKind;
  /** The first day (UTC) whose sales it judges. */
  effectiveDate: string;
}

/** The policies of kinds, oldest first (rule 13). */
export const kindPolicies: readonly KindPolicy[] = policyData.kinds.map(({ kind, effectiveDate, policy }) => ({
  kind: kind as ProductKind,
  effectiveDate,
  ...policyOf(policy as keyof typeof policyData.policies),
}));

/** What a SKU that is sold on the day of an instant is cancelled by. */
export function referenceTermsOf(sku: ReferenceSku, at: Date): CancellationTerms {
  const day = at.toISOString().slice(0, 10);
  const ofKind = kindPolicies.findLast(({ kind, effectiveDate }) => kind === sku.kind && effectiveDate <= day);
  return sku.policy ?? ofKind ?? policyOf('never');
}

function policyOf(name: keyof typeof policyData.policies): CancellationTerms {
  const policy: { refundOptions: unknown[]; supportRequestRequired?: boolean } = policyData.policies[name];
  return {
    refundOptions: policy.refundOptions as RefundOption[],
    supportRequestRequired: policy.supportRequestRequired ?? false,
  };
}

/** Every product with its SKUs. */
export const referenceProducts: readonly ReferenceProduct[] = catalog.products.map(({ skus, ...product }) => ({
  ...product,
  skus: (skus as WrittenSku[]).map(({ software, policy, ...sku }) => ({
    ...sku,
    ...(policy === undefined ? {} : { policy: policyOf(policy) }),
    productId: product.productId,
    softwareVersions: software === undefined ? [] : softwareVersionsOf(software),
  })),
}));

function softwareVersionsOf(software: keyof typeof catalog.softwareVersions): ReferenceSoftwareVersion[] {
  return catalog.softwareVersions[software].map(({ version, languages, architectures }) => ({
    version,
    languages: catalog.languageSets[languages as keyof typeof catalog.languageSets],
    architectures,
  }));
}
