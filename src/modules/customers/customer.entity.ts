import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { composed, NAMES } from '../../database/names.js';
import { Segment } from '../../domain/product-kind.js';
import { Market } from '../catalog/market.entity.js';

/** A company the partner sells to. Its tenant id is what a CUSTOMER_ADMIN's token names in `tid`. */
export const Customer = defineEntity({
  name: 'Customer',
  tableName: 'customers',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid().unique('customers_tenant_id_key'),
    domain: p.text().unique('customers_domain_key').check('domain = lower(domain)'),
    companyName: p.text().collation(NAMES),
    market: p.manyToOne(Market),
    segment: p.enum(Object.values(Segment)).default('COMMERCIAL'),
    contactFirstName: p.text(),
    contactLastName: p.text(),
    contactEmail: p.text(),
    contactPhone: p.text().nullable(),
    createdAt: p.datetime(3),
    /** It is invented, with all that it has: it may be given product keys that are. */
    isDemonstration: p.boolean().default(false),
    /** The reconciliation (`modules/reconciling/`) whose file it was created out of; null where it came in another way. */
    importedFrom: p.uuid().nullable(),
  },
  indexes: [
    { name: 'customers_company_name_idx', properties: ['companyName', 'id'] },
    { name: 'customers_created_at_idx', properties: ['createdAt', 'id'] },
    { name: 'customers_market_idx', properties: ['market', 'companyName', 'id'] },
    { name: 'customers_market_created_idx', properties: ['market', 'createdAt', 'id'] },
    { name: 'customers_segment_idx', properties: ['segment', 'companyName', 'id'] },
    { name: 'customers_segment_created_idx', properties: ['segment', 'createdAt', 'id'] },
    {
      name: 'customers_search_idx',
      expression:
        'create index "customers_search_idx" on "customers" using gin ("company_name" gin_trgm_ops, "domain" gin_trgm_ops)',
    },
  ],
  triggers: [composed('customers', ['company_name', 'contact_first_name', 'contact_last_name'])],
});
export type Customer = InferEntity<typeof Customer>;
