import type { z } from 'zod';
import type { Client } from './client.js';
import { type Collection, type Page, readAll, readPages, readPagesFrom, shaped } from './pages.js';
import {
  type AuditRecord,
  auditRecordForm,
  type CustomerProfile,
  customerForm,
  entitlementForm,
  invoiceForm,
  type ListedCustomer,
  orderForm,
  profileForm,
  subscriptionForm,
  type UpstreamEntitlement,
  type UpstreamInvoice,
  type UpstreamOrder,
  type UpstreamSubscription,
} from './resources.js';

/** Items of a page: the largest that the service has for each. */
const CUSTOMERS = 500;
const AUDIT_RECORDS = 500;
const INVOICES = 500;
const PRICED = { include_price: 'true' };

type Options = Pick<Collection<unknown>, 'priority' | 'signal'>;

/** What Partner Center tells, in types: everything that it answers is checked here. */
export class PartnerCenter {
  constructor(readonly client: Client) {}

  /** The partner's customers, page by page. */
  customers(options: Options = {}): AsyncGenerator<ListedCustomer[]> {
    const paging = { by: 'token' as const, size: CUSTOMERS };
    return readPages(this.client, { path: '/v1/customers', paging, item: customerForm, ...options });
  }

  /** The same from where an earlier reading was, with the token of the page after each. */
  customersFrom(token: string | null, options: Options = {}): AsyncGenerator<Page<ListedCustomer>> {
    const paging = { by: 'token' as const, size: CUSTOMERS };
    return readPagesFrom(this.client, { path: '/v1/customers', paging, item: customerForm, ...options }, token);
  }

  /** A customer, with country and contact. */
  customer(customerId: string, options: Options = {}): Promise<CustomerProfile> {
    return this.read(`/v1/customers/${encodeURIComponent(customerId)}`, profileForm, options);
  }

  /** A customer's orders with their prices: the newest may be missing for a quarter of an hour. */
  orders(customerId: string, options: Options = {}): Promise<UpstreamOrder[]> {
    const path = `/v1/customers/${encodeURIComponent(customerId)}/orders`;
    return readAll(this.client, { path, query: PRICED, paging: { by: 'one' }, item: orderForm, ...options });
  }

  /** An order by either of its ids, as it is now. */
  order(customerId: string, orderId: string, options: Options = {}): Promise<UpstreamOrder> {
    const path = `/v1/customers/${encodeURIComponent(customerId)}/orders/${encodeURIComponent(orderId)}`;
    return this.read(path, orderForm, options, PRICED);
  }

  subscriptions(customerId: string, options: Options = {}): Promise<UpstreamSubscription[]> {
    const path = `/v1/customers/${encodeURIComponent(customerId)}/subscriptions`;
    return readAll(this.client, { path, paging: { by: 'one' }, item: subscriptionForm, ...options });
  }

  /** What a customer owns of perpetual software; answered only in the name of a user. */
  entitlements(customerId: string, options: Options = {}): Promise<UpstreamEntitlement[]> {
    const path = `/v1/customers/${encodeURIComponent(customerId)}/entitlements`;
    const query = { entitlementType: 'software', showExpiry: 'true' };
    const paging = { by: 'one' as const };
    return readAll(this.client, { path, query, as: 'user', paging, item: entitlementForm, ...options });
  }

  /** What was done in Partner Center on these days of UTC, the last one included: at most 30, of the last 90. */
  auditRecords(from: string, until: string, options: Options = {}): AsyncGenerator<AuditRecord[]> {
    const query = { startDate: from, endDate: until };
    const paging = { by: 'token' as const, size: AUDIT_RECORDS };
    return readPages(this.client, { path: '/v1/auditrecords', query, paging, item: auditRecordForm, ...options });
  }

  invoices(options: Options = {}): Promise<UpstreamInvoice[]> {
    const paging = { by: 'offset' as const, size: INVOICES };
    return readAll(this.client, { path: '/v1/invoices', paging, item: invoiceForm, ...options });
  }

  private async read<Shape>(
    path: string,
    form: z.ZodType<Shape>,
    options: Options,
    query: Record<string, string> = {},
  ): Promise<Shape> {
    const { value, requestId } = await this.client.call({ method: 'GET', path, query, ...options });
    return shaped(form, value, { path }, requestId);
  }
}
