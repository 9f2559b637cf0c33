import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { Customer } from '../customers/customer.entity.js';

/** A customer whom the upstream lists, and how far what they have there is known here. */
export const UpstreamCustomer = defineEntity({
  name: 'UpstreamCustomer',
  tableName: 'upstream_customers',
  properties: {
    tenantId: p.uuid().primary(),
    /** Ours; null until they were read for the first time, or where they cannot be one. */
    customer: p.oneToOne(Customer).owner().unique('upstream_customers_customer_key').nullable(),
    domain: p.text(),
    companyName: p.text(),
    /** As the upstream calls it, such as `reseller`. */
    relationship: p.text().nullable(),
    /** When it was last listed. */
    seenAt: p.datetime(3),
    /** Since when it is listed no more. */
    goneAt: p.datetime(3).nullable(),
    /** When what they have was last read; null: never. */
    readAt: p.datetime(3).nullable(),
    /** From when on it is to be read again, before its turn in the crawl. */
    refreshAfter: p.datetime(3).nullable(),
    /** From when on once more, because lists of the upstream are behind. */
    againAfter: p.datetime(3).nullable(),
    /** Why it could not be read, or not be a customer here. */
    problem: p.text().nullable(),
  },
  indexes: [
    {
      name: 'upstream_customers_refresh_idx',
      expression: `create index "upstream_customers_refresh_idx" on "upstream_customers" ("refresh_after") where "refresh_after" is not null`,
    },
    { name: 'upstream_customers_read_idx', properties: ['readAt', 'tenantId'] },
  ],
});
export type UpstreamCustomer = InferEntity<typeof UpstreamCustomer>;
