import { sql } from 'kysely';
import { idOf } from '../../graphql/id-of.js';
import { contains, globalId } from '../../read/fields.js';
import { one, properties, property, type ReadType, type RootReads } from '../../read/model.js';
import type { Param } from '../../read/param.js';

/** How a Customer is read. */
export const customerRead: ReadType = {
  name: 'Customer',
  entity: 'Customer',
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
  },
  listing: {
    filters: {
      search: (customer, text: Param<string>) =>
        sql`(${contains(customer.col('companyName'), text)} or ${contains(customer.col('domain'), text)})`,
      market: (customer, code: Param<string>) => sql`${customer.col('market')} = upper(${code}::text)::bpchar`,
      domain: (customer, domain: Param<string>) => sql`${customer.col('domain')} = lower(${domain}::text)`,
      segment: (customer, segment: Param<string>) => sql`${customer.col('segment')} = ${segment}`,
    },
    weights: { search: { times: 10, isWalked: true }, market: { isWalked: true }, segment: { isWalked: true } },
    orders: {
      COMPANY_NAME: [
        { property: 'companyName', type: 'name' },
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

/** Root fields of customers. */
export const customerRoots: RootReads = {
  customers: { kind: 'connection', type: 'Customer' },
  customer: {
    kind: 'one',
    type: 'Customer',
    where: (customer, args) => {
      const by = args.object('by');
      if (by.given('id'))
        return sql`${customer.col('id')} = ${by.param<string>('id').map((id) => idOf('Customer', id, 'by.id'))}::uuid`;
      if (by.given('tenantId')) return sql`${customer.col('tenantId')} = ${by.param('tenantId')}::uuid`;
      return sql`${customer.col('domain')} = lower(${by.param('domain')}::text)`;
    },
  },
};
