/** What a SKU is. A property of the SKU, not of the product: one product may hold several kinds. */
export const ProductKind = {
  /** A licence bought once, without a term. */
  PERPETUAL_SOFTWARE: 'PERPETUAL_SOFTWARE',
  /** Software for a term of months or years. */
  SOFTWARE_SUBSCRIPTION: 'SOFTWARE_SUBSCRIPTION',
  /** Reserved Azure capacity for a term. */
  AZURE_RESERVATION: 'AZURE_RESERVATION',
  /** A SUSE or Red Hat plan on Azure; never cancellable (rule 13). */
  LINUX_PLAN: 'LINUX_PLAN',
} as const;
export type ProductKind = (typeof ProductKind)[keyof typeof ProductKind];

/** For whom a price holds, in the words of the price list. */
export const Segment = {
  COMMERCIAL: 'COMMERCIAL',
  EDUCATION: 'EDUCATION',
  CHARITY: 'CHARITY',
  GOVERNMENT: 'GOVERNMENT',
} as const;
export type Segment = (typeof Segment)[keyof typeof Segment];

/** How the price of a term is billed. */
export const BillingPlan = {
  ONE_TIME: 'ONE_TIME',
  MONTHLY: 'MONTHLY',
  ANNUAL: 'ANNUAL',
  TRIENNIAL: 'TRIENNIAL',
} as const;
export type BillingPlan = (typeof BillingPlan)[keyof typeof BillingPlan];

/** What a price list is about, in the words of Partner Center's views: what one lacks says nothing about another. */
export const PriceListView = {
  SOFTWARE: 'SOFTWARE',
  LICENSES: 'LICENSES',
  AZURE_RESERVATIONS: 'AZURE_RESERVATIONS',
} as const;
export type PriceListView = (typeof PriceListView)[keyof typeof PriceListView];

/** Where a price comes from. INVENTED ones are demonstration data: real partner prices are not public. */
export const PriceSource = { INVENTED: 'INVENTED', PRICE_LIST: 'PRICE_LIST' } as const;
export type PriceSource = (typeof PriceSource)[keyof typeof PriceSource];

/** How much of the price a cancellation gives back: all of it, or the unused days (rule 16). */
export const RefundType = { FULL: 'FULL', PRORATED: 'PRORATED' } as const;
export type RefundType = (typeof RefundType)[keyof typeof RefundType];

/** Edition of Windows Server that decides how Azure Hybrid Benefit applies (rule 24). */
export const WindowsServerEdition = { DATACENTER: 'DATACENTER', STANDARD: 'STANDARD' } as const;
export type WindowsServerEdition = (typeof WindowsServerEdition)[keyof typeof WindowsServerEdition];
