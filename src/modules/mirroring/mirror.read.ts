import { sql } from 'kysely';
import { properties, type ReadType, type TypeExtensions } from '../../read/model.js';

/** How an UpstreamCustomer is read. */
export const upstreamCustomerRead: ReadType = {
  name: 'UpstreamCustomer',
  entity: 'UpstreamCustomer',
  fields: properties('seenAt', 'goneAt', 'readAt', 'relationship', 'problem'),
};

/** How an UpstreamLine is read. */
export const upstreamLineRead: ReadType = {
  name: 'UpstreamLine',
  entity: 'UpstreamLine',
  fields: properties(
    'upstreamOrderId',
    'alternateId',
    'lineNumber',
    'subscriptionId',
    'state',
    'isMirrored',
    'isPriced',
    'seenAt',
    'goneAt',
  ),
};

/** What the mirror adds to the types below it. */
export const mirrorExtensions: TypeExtensions = {
  Customer: {
    upstream: {
      kind: 'one',
      type: 'UpstreamCustomer',
      on: (customer, listed) => sql`${listed.col('customer')} = ${customer.col('id')}`,
    },
  },
  OrderLine: {
    upstream: {
      kind: 'one',
      type: 'UpstreamLine',
      on: (line, known) => sql`${known.col('orderLine')} = ${line.col('id')}`,
    },
  },
};
