import { registerEnumType } from 'type-graphql';
import {
  BillingPlan,
  PriceSource,
  ProductKind,
  RefundType,
  Segment,
  WindowsServerEdition,
} from '../../domain/product-kind.js';
import { RefundOptionType } from '../../domain/refund-option.js';

/** ProductKind in the schema. */
export const ProductKindEnum = ProductKind;
registerEnumType(ProductKindEnum, {
  name: 'ProductKind',
  description: 'What kind of thing a SKU is. It belongs to the SKU, not to the product, which may hold several kinds.',
  valuesConfig: {
    PERPETUAL_SOFTWARE: { description: 'A licence that is bought once and has no term.' },
    SOFTWARE_SUBSCRIPTION: { description: 'Software that is licensed for a term of months or years.' },
    AZURE_RESERVATION: {
      description:
        'Azure capacity that is reserved for a term. It has no keys and no downloads, and is cancelled by a support request.',
    },
    LINUX_PLAN: { description: 'A SUSE or Red Hat plan for Azure, which can never be cancelled.' },
  },
});

registerEnumType(Segment, {
  name: 'Segment',
  description: 'The kind of customer that a price holds for.',
  valuesConfig: {
    COMMERCIAL: { description: 'Companies and other commercial customers.' },
    EDUCATION: { description: 'Schools, universities and other places of education.' },
    CHARITY: { description: 'Non-profit organisations, also called charities.' },
    GOVERNMENT: { description: 'Governments and other public bodies.' },
  },
});

registerEnumType(PriceSource, {
  name: 'PriceSource',
  description: 'The source that a price was taken from.',
  valuesConfig: {
    INVENTED: { description: 'The price is demonstration data, and no real price.' },
    PRICE_LIST: { description: 'The price is from a price list that the partner imported.' },
  },
});

registerEnumType(RefundType, {
  name: 'RefundType',
  description: 'How the credit of a cancelled line is computed. There is never a fee.',
  valuesConfig: {
    FULL: { description: 'All of the price is given back, whenever it is cancelled.' },
    PRORATED: { description: 'The unused days of the term are given back; the day of cancelling counts as unused.' },
  },
});

registerEnumType(RefundOptionType, {
  name: 'RefundOptionType',
  description: 'How much is given back while a refund option holds. There is never a fee.',
  valuesConfig: {
    FULL: { description: 'All of the price is given back.' },
    PARTIAL: { description: 'The unused days of the term are given back; the day of cancelling counts as unused.' },
  },
});

registerEnumType(WindowsServerEdition, {
  name: 'WindowsServerEdition',
  description: 'The edition of Windows Server, which decides how Azure Hybrid Benefit applies.',
  valuesConfig: {
    DATACENTER: {
      description: 'Windows Server Datacenter, whose licence may be used on premises and in Azure at once.',
    },
    STANDARD: {
      description: 'Windows Server Standard, whose licence moves to Azure and is no longer used on premises.',
    },
  },
});

registerEnumType(BillingPlan, {
  name: 'BillingPlan',
  description: 'How often the price of a term is billed.',
  valuesConfig: {
    ONE_TIME: { description: 'The price is billed once.' },
    MONTHLY: { description: 'The price is billed every month.' },
    ANNUAL: { description: 'The price is billed every year.' },
    TRIENNIAL: { description: 'The price is billed every three years.' },
  },
});
