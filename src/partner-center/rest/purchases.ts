import type { Client } from './client.js';
import { readAll, shaped } from './pages.js';
import {
  type Availability,
  availabilityForm,
  type Cart,
  type Checkout,
  cartForm,
  checkoutForm,
  orderForm,
  type UpstreamOrder,
} from './resources.js';

/** Whom a call is for, and what it is known by. */
export interface CallIds {
  /** The customer's tenant. */
  customerId: string;
  /** Stored before the call is made: the same one means the same write. */
  requestId: string;
  correlationId: string;
  signal?: AbortSignal | undefined;
}

/** A line to be bought. */
export interface CartLine {
  id: number;
  catalogItemId: string;
  quantity: number;
  /** Such as `P1Y`; null for perpetual software. */
  termDuration: string | null;
  billingCycle: string;
}

type Reading = Pick<CallIds, 'customerId' | 'signal'>;

const under = (customerId: string, path: string) => `/v1/customers/${encodeURIComponent(customerId)}/${path}`;

/** What Partner Center is asked to do: to buy and to cancel. These calls go before all others. */
export class Purchases {
  constructor(private readonly client: Client) {}

  /** What of a SKU the customer may buy just now. */
  availabilities({ customerId, signal }: Reading, productId: string, skuId: string): Promise<Availability[]> {
    const place = `products/${encodeURIComponent(productId)}/skus/${encodeURIComponent(skuId)}/availabilities`;
    const paging = { by: 'one' as const };
    const path = under(customerId, place);
    return readAll(this.client, { path, paging, item: availabilityForm, priority: 'purchase', signal });
  }

  /** Makes a cart, which buys nothing yet. It is made also where a line is in error. */
  async createCart({ customerId, ...ids }: CallIds, lines: readonly CartLine[]): Promise<Cart> {
    const path = under(customerId, 'carts');
    const lineItems = lines.map(({ termDuration, ...line }) => (termDuration ? { ...line, termDuration } : line));
    const body = { PartnerOnRecordAttestationAccepted: true, lineItems };
    const { value, requestId } = await this.client.call({ method: 'POST', path, body, priority: 'purchase', ...ids });
    return shaped(cartForm, value, { path }, requestId);
  }

  /** Buys what is in a cart. It becomes several orders, of which some may fail. */
  async checkOut({ customerId, ...ids }: CallIds, cartId: string): Promise<Checkout> {
    const path = under(customerId, `carts/${encodeURIComponent(cartId)}/checkout`);
    const { value, requestId } = await this.client.call({ method: 'POST', path, priority: 'purchase', ...ids });
    return shaped(checkoutForm, value, { path }, requestId);
  }

  /** A customer's orders; the newest may be missing for a quarter of an hour. */
  orders({ customerId, signal }: Reading): Promise<UpstreamOrder[]> {
    const path = under(customerId, 'orders');
    return readAll(this.client, { path, paging: { by: 'one' }, item: orderForm, priority: 'purchase', signal });
  }

  /** An order by its id, as it is now. */
  async order({ customerId, signal }: Reading, orderId: string): Promise<UpstreamOrder> {
    const path = under(customerId, `orders/${encodeURIComponent(orderId)}`);
    const { value, requestId } = await this.client.call({ method: 'GET', path, priority: 'purchase', signal });
    return shaped(orderForm, value, { path }, requestId);
  }

  /** Cancels lines of an order, each whole. */
  async cancelLines({ customerId, ...ids }: CallIds, order: UpstreamOrder, lineNumbers: readonly number[]) {
    const path = under(customerId, `orders/${encodeURIComponent(order.id)}`);
    const lineItems = order.lineItems
      .filter(({ lineItemNumber }) => lineNumbers.includes(lineItemNumber))
      .map(({ lineItemNumber, offerId }) => ({ lineItemNumber, offerId }));
    const body = { id: order.id, status: 'cancelled', lineItems };
    await this.client.call({ method: 'PATCH', path, body, priority: 'purchase', ...ids });
  }
}
