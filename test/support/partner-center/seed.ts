import { createHash } from 'node:crypto';
import type { Customer, Product, State } from './state.js';

/** What is sold: invented titles, product ids of the form that the service uses. */
const PRODUCTS: Omit<Product, 'availabilityId'>[] = [
  perpetual('DG7GMGF0FKZV', '0001', 'Example SQL Server Standard, 2 cores', '3586.5'),
  perpetual('DG7GMGF0D5RK', '0002', 'Example Server Standard, 16 cores', '1069'),
  perpetual('DG7GMGF0F4MD', '0003', 'Example Office for devices', '440.25'),
  {
    ...perpetual('DG7GMGF0D3SJ', '0001', 'Example Server subscription', '300'),
    soldAs: 'software-subscription',
    termDuration: 'P1Y',
  },
  { ...perpetual('DZH318Z0BQ5P', '0001', 'Example Linux plan', '99.5'), soldAs: 'linux', termDuration: 'P1Y' },
  {
    ...perpetual('CFQ7TTC0LH18', '0001', 'Example licence', '72'),
    soldAs: 'licence',
    termDuration: 'P1Y',
    billingCycle: 'annual',
  },
  { ...perpetual('DZH318Z0BPS6', '0005', 'Example reservation', '820'), soldAs: 'reservation', termDuration: 'P3Y' },
];

const COUNTRIES = ['NO', 'US', 'DE', 'JP', 'GB'];

/** A state with customers and products, the same for the same seed. */
export function seededState(seed: number, customers: number, frozenMs: number | null): State {
  return {
    random: seed,
    offsetMs: 0,
    frozenMs,
    products: PRODUCTS.map((product) => ({ ...product, availabilityId: availabilityOf(product, 0) })),
    customers: Array.from({ length: customers }, (_, index) => customer(seed, index)),
    carts: {},
    orders: [],
    subscriptions: [],
    audit: [],
    lines: [],
    invoices: [],
    exports: {},
    answers: {},
    refreshTokens: {},
    accessTokens: {},
    deviceCodes: {},
    registration: null,
    deliveries: [],
    validations: {},
  };
}

/** The id of an availability: another one for each time that it was replaced. */
export const availabilityOf = ({ productId, skuId }: Pick<Product, 'productId' | 'skuId'>, times: number) =>
  `DG7${createHash('sha256').update(`${productId}:${skuId}:${times}`).digest('hex').slice(0, 9).toUpperCase()}`;

function perpetual(
  productId: string,
  skuId: string,
  title: string,
  unitPrice: string,
): Omit<Product, 'availabilityId'> {
  const sold = { soldAs: 'perpetual' as const, termDuration: '', billingCycle: 'one_time', maximumQuantity: 10_000 };
  return { productId, skuId, title, unitPrice, ...sold };
}

function customer(seed: number, index: number): Customer {
  const hex = createHash('sha256').update(`${seed}:${index}`).digest('hex');
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  const name = `customer-${index + 1}`;
  return {
    id,
    commerceId: `c-${hex.slice(32, 44)}`,
    domain: `${name}.example`,
    companyName: `Example Customer ${index + 1}`,
    country: COUNTRIES[index % COUNTRIES.length] as string,
    email: `admin@${name}.example`,
    relationshipToPartner: 'reseller',
    billingEtag: hex.slice(44, 52),
  };
}
