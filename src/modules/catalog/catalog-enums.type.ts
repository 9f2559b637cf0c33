import { registerEnumType } from 'type-graphql';
import { PriceSource, ProductKind, RefundType, Segment, WindowsServerEdition } from '../../domain/product-kind.js';

/** ProductKind in the schema. */
export const ProductKindEnum = ProductKind;
registerEnumType(ProductKindEnum, {
  name: 'ProductKind',
  description: 'What a SKU is. A property of the SKU: one product may hold several kinds.',
  valuesConfig: {
    PERPETUAL_SOFTWARE: { description: 'A licence bought once, without a term.' },
    SOFTWARE_SUBSCRIPTION: { description: 'Software for a term of months or years.' },
    AZURE_RESERVATION: { description: 'Reserved Azure capacity for a term; no keys, no downloads (rule 25).' },
    LINUX_PLAN: { description: 'A SUSE or Red Hat plan; never cancellable (rule 13).' },
  },
});

registerEnumType(Segment, {
  name: 'Segment',
  description: 'For whom a price holds.',
  valuesConfig: {
    COMMERCIAL: { description: 'Companies.' },
    EDUCATION: { description: 'Schools and universities.' },
    CHARITY: { description: 'Non-profit organisations.' },
    GOVERNMENT: { description: 'Public bodies.' },
  },
});

registerEnumType(PriceSource, {
  name: 'PriceSource',
  description: 'Where a price comes from.',
  valuesConfig: {
    INVENTED: { description: 'Demonstration data: not a real price.' },
    PRICE_LIST: { description: 'A price list that the partner imported.' },
  },
});

registerEnumType(RefundType, {
  name: 'RefundType',
  description: 'How the credit of a cancelled line is computed (rule 16).',
  valuesConfig: {
    FULL: { description: 'All of the price.' },
    PRORATED: { description: 'By unused days; the day of cancelling counts as unused.' },
  },
});

registerEnumType(WindowsServerEdition, {
  name: 'WindowsServerEdition',
  description: 'Edition of Windows Server.',
  valuesConfig: { DATACENTER: { description: 'Datacenter.' }, STANDARD: { description: 'Standard.' } },
});

/** How the price of a term is billed. */
export const BillingPlan = {
  ONE_TIME: 'ONE_TIME',
  MONTHLY: 'MONTHLY',
  ANNUAL: 'ANNUAL',
  TRIENNIAL: 'TRIENNIAL',
} as const;
export type BillingPlan = keyof typeof BillingPlan;
registerEnumType(BillingPlan, {
  name: 'BillingPlan',
  description: 'How the price of a term is billed.',
  valuesConfig: {
    ONE_TIME: { description: 'Once.' },
    MONTHLY: { description: 'Every month.' },
    ANNUAL: { description: 'Every year.' },
    TRIENNIAL: { description: 'Every three years.' },
  },
});
