import { Problem } from '../../domain/problem.js';
import type { ProductKind } from '../../domain/product-kind.js';
import type { Offer } from '../catalog/prices-at.js';

/** No such SKU in the catalog. */
export class SkuNotFound extends Problem {
  readonly code = 'SKU_NOT_FOUND';
  readonly message: string;
  constructor(
    readonly lineIndex: number,
    readonly productId: string,
    readonly skuId: string,
  ) {
    super();
    this.message = `The catalog has no SKU ${productId}:${skuId}. SKU ids have four characters and keep their zeros: 0003.`;
  }
}

/** Rule 4: the quantity is outside the SKU's bounds. */
export class QuantityOutOfBounds extends Problem {
  readonly code = 'QUANTITY_OUT_OF_BOUNDS';
  readonly message: string;
  constructor(
    readonly lineIndex: number,
    readonly minimum: number,
    readonly maximum: number,
  ) {
    super();
    this.message = `The quantity of line ${lineIndex} must be from ${minimum} to ${maximum}.`;
  }
}

/** Rule 1: this kind may not be sold where the customer is. */
export class ProductNotAvailableInMarket extends Problem {
  readonly code = 'PRODUCT_NOT_AVAILABLE_IN_MARKET';
  readonly message: string;
  constructor(
    readonly lineIndex: number,
    readonly market: string,
    readonly kind: ProductKind,
  ) {
    super();
    this.message = `${kind} may not be sold in market ${market}. Leave line ${lineIndex} out.`;
  }
}

/** Rule 3: no price holds now for the customer's market, segment, this currency, term and billing plan. */
export class PriceNotFound extends Problem {
  readonly code = 'PRICE_NOT_FOUND';
  readonly message: string;
  constructor(
    readonly lineIndex: number,
    readonly market: string,
    readonly currency: string,
    readonly currencies: string[],
    /** The terms and billing plans that it has a price for. */
    readonly offers: Offer[] = [],
    asked?: Offer,
  ) {
    super();
    const there = `Line ${lineIndex} has no price in ${currency} for market ${market}`;
    this.message =
      offers.length > 0 && asked
        ? `${there}, ${offerText(asked)}, in this quantity. Sold there: ${offers.map(offerText).join('; ')}.`
        : `${there}. Currencies sold in there: ${currencies.join(', ')}.`;
  }
}

const offerText = ({ termDuration, billingPlan }: Offer) => `${termDuration ?? 'without a term'} ${billingPlan}`;
