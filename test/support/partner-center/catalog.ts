import { type Call, ok, Refusal, type Route } from './call.js';
import { collection, customerOf } from './customers.js';
import { availabilityOf } from './seed.js';
import type { Product } from './state.js';
import type { World } from './world.js';

const CURRENCIES: Record<string, { code: string; symbol: string }> = {
  NO: { code: 'NOK', symbol: 'kr' },
  US: { code: 'USD', symbol: '$' },
  JP: { code: 'JPY', symbol: '¥' },
  GB: { code: 'GBP', symbol: '£' },
};
const EURO = { code: 'EUR', symbol: '€' };
export const currencyOf = (country: string) => CURRENCIES[country] ?? EURO;

/** How long each kind may be cancelled, and what is given back. */
export const REFUND_OPTIONS: Record<Product['soldAs'], { sequenceId: number; type: string; expiresAfter: string }[]> = {
  perpetual: [{ sequenceId: 0, type: 'Full', expiresAfter: 'P30D' }],
  'software-subscription': [
    { sequenceId: 0, type: 'Full', expiresAfter: 'P1D' },
    { sequenceId: 1, type: 'Partial', expiresAfter: 'P7D' },
  ],
  licence: [
    { sequenceId: 0, type: 'Full', expiresAfter: 'P1D' },
    { sequenceId: 1, type: 'Partial', expiresAfter: 'P7D' },
  ],
  linux: [],
  reservation: [],
};

const BELOW = ['', '/customers/:customer'];

export const catalogRoutes: Route[] = BELOW.flatMap((below): Route[] => [
  { method: 'GET', pattern: `/v1${below}/products/:product`, handle: (call) => ok(showProduct(productOf(call))) },
  {
    method: 'GET',
    pattern: `/v1${below}/products/:product/skus`,
    handle: (call) => {
      const { productId } = productOf(call);
      return collection(call, call.world.state.products.filter((one) => one.productId === productId).map(showSku));
    },
  },
  { method: 'GET', pattern: `/v1${below}/products/:product/skus/:sku`, handle: (call) => ok(showSku(skuOf(call))) },
  {
    method: 'GET',
    pattern: `/v1${below}/products/:product/skus/:sku/availabilities`,
    handle: (call) => collection(call, [showAvailability(call, skuOf(call))]),
  },
  {
    method: 'GET',
    pattern: `/v1${below}/products/:product/skus/:sku/availabilities/:availability`,
    handle: (call) => {
      const product = skuOf(call);
      if (product.availabilityId !== call.ids['availability'])
        throw new Refusal(404, '400019', 'The availability was not found.');
      return ok(showAvailability(call, product));
    },
  },
]);

function productOf({ world, ids }: Call): Product {
  const found = world.state.products.find(({ productId }) => productId === ids['product']);
  if (!found) throw new Refusal(404, '400013', 'The product was not found.');
  return found;
}

function skuOf(call: Call): Product {
  const { productId } = productOf(call);
  const found = call.world.state.products.find((one) => one.productId === productId && one.skuId === call.ids['sku']);
  if (!found) throw new Refusal(404, '400018', 'The SKU was not found.');
  return found;
}

const showProduct = ({ productId, title, soldAs }: Product) => ({
  id: productId,
  title,
  description: title,
  productType: { id: soldAs === 'licence' ? 'OnlineServicesNCE' : 'Software', displayName: soldAs },
});

const showSku = ({ productId, skuId, title, maximumQuantity, billingCycle }: Product) => ({
  id: skuId,
  productId,
  title,
  minimumQuantity: 1,
  maximumQuantity,
  isTrial: false,
  supportedBillingCycles: [billingCycle],
  purchasePrerequisites: [],
  inventoryVariables: [],
  provisioningVariables: [],
  actions: [],
  dynamicAttributes: {},
});

function showAvailability(call: Call, product: Product): object {
  const { productId, skuId, availabilityId, termDuration, soldAs, billingCycle } = product;
  const country = call.ids['customer'] ? customerOf(call).country : (call.query.get('country') ?? 'US');
  const answer = {
    id: availabilityId,
    productId,
    skuId,
    catalogItemId: `${productId}:${skuId}:${availabilityId}`,
    segment: 'commercial',
    country,
    defaultCurrency: currencyOf(country),
    isPurchasable: true,
    isRenewable: termDuration !== '',
    terms: [
      {
        id: call.world.hex(8),
        duration: termDuration,
        billingCycle: billingCycle === 'annual' ? 'Annual' : 'OneTime',
        cancellationPolicies: [{ refundOptions: REFUND_OPTIONS[soldAs] }],
      },
    ],
  };
  // What was read a moment ago is gone by the time it is bought.
  if (call.world.faults.strikes('availabilityMoved', call.path)) moveAvailability(call.world, product);
  return answer;
}

/** Gives a product another availability: catalog item ids with the old one are refused from then on. */
export function moveAvailability(world: World, product: Product): void {
  product.availabilityId = availabilityOf(product, Math.floor(world.random() * 1e9) + 1);
}

/** What a catalog item id names. @throws {Refusal} 400013, 400018 or 400019 where the catalog has moved */
export function catalogItem(world: World, catalogItemId: string): Product {
  const [productId, skuId, availabilityId] = catalogItemId.split(':');
  const skus = world.state.products.filter((one) => one.productId === productId);
  if (skus.length === 0) throw new Refusal(400, '400013', 'The product was not found.');
  const product = skus.find((one) => one.skuId === skuId);
  if (!product) throw new Refusal(400, '400018', 'The SKU was not found.');
  if (product.availabilityId !== availabilityId)
    throw new Refusal(400, '400019', 'The availability was not found or is not active.');
  return product;
}
