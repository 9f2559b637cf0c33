import { sql } from 'kysely';
import { idPrefixes } from '../../global-id.js';
import { contains, globalId } from '../../read/fields.js';
import { connection, ofTenant, one, properties, property, type ReadType } from '../../read/model.js';

/** How a Customer is read. */
export const customerRead: ReadType = {
  name: 'Customer',
  entity: 'Customer',
  idPrefix: idPrefixes.Customer,
  scope: ofTenant('id'),
  fields: {
    id: globalId('Customer'),
    ...properties('tenantId', 'domain', 'companyName', 'segment', 'createdAt'),
    market: one('Market', 'market', 'code'),
    contact: {
      kind: 'embedded',
      fields: {
        firstName: property('contactFirstName'),
        lastName: property('contactLastName'),
        email: property('contactEmail'),
        phone: property('contactPhone'),
      },
    },
    orders: connection('Order', 'customer'),
    software: connection('Entitlement', 'customer'),
    activity: connection('ActivityEntry', 'customerId'),
    invoices: connection('Invoice', 'customer'),
    supportRequests: connection('SupportRequest', 'customer'),
  },
  listing: {
    filters: {
      search: (customer, text: string) =>
        sql`(${contains(customer.col('companyName'), text)} or ${contains(customer.col('domain'), text)})`,
      market: (customer, code: string) => sql`${customer.col('market')} = upper(${code}::text)`,
      domain: (customer, domain: string) => sql`${customer.col('domain')} = lower(${domain}::text)`,
      segment: (customer, segment: string) => sql`${customer.col('segment')} = ${segment}`,
    },
    orders: {
      COMPANY_NAME: [
        { property: 'companyName', type: 'text' },
        { property: 'id', type: 'uuid' },
      ],
      CREATED_AT: [
        { property: 'createdAt', type: 'timestamptz' },
        { property: 'id', type: 'uuid' },
      ],
    },
    defaultOrder: { field: 'COMPANY_NAME', direction: 'ASC' },
  },
};
