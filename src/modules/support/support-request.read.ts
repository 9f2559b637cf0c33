import { sql } from 'kysely';
import { idOf } from '../../graphql/id-of.js';
import { globalId } from '../../read/fields.js';
import {
  computed,
  connection,
  many,
  money,
  one,
  properties,
  property,
  type ReadType,
  type RootReads,
  type TypeExtensions,
} from '../../read/model.js';
import type { Param } from '../../read/param.js';

/** How a SupportRequest is read. */
export const supportRequestRead: ReadType = {
  name: 'SupportRequest',
  entity: 'SupportRequest',
  fields: {
    id: globalId('SupportRequest'),
    ...properties(
      'number',
      'topic',
      'impact',
      'title',
      'description',
      'refundReason',
      'status',
      'submittedAt',
      'submittedBy',
    ),
    customer: one('Customer', 'customer'),
    order: one('Order', 'order'),
    amount: money(
      (request) => request.col('amount'),
      (request) => request.col('currency'),
    ),
    contact: {
      kind: 'embedded',
      fields: { name: property('contactName'), email: property('contactEmail'), phone: property('contactPhone') },
    },
    files: many('SupportFile', 'supportRequest', (file) => [file.col('uploadedAt'), file.col('id')]),
    notes: many('SupportNote', 'supportRequest', (note) => [note.col('createdAt'), note.col('id')]),
  },
  listing: {
    filters: {
      customerId: (request, id: Param<string>) =>
        sql`${request.col('customer')} = ${id.map((globalId) => idOf('Customer', globalId, 'filter.customerId'))}::uuid`,
      status: (request, status: Param<string>) => sql`${request.col('status')} = ${status}`,
      topic: (request, topic: Param<string>) => sql`${request.col('topic')} = ${topic}`,
    },
    weights: { customerId: { isOneCustomers: true }, status: { isWalked: true }, topic: { isWalked: true } },
    orders: {
      SUBMITTED_AT: [
        { property: 'submittedAt', type: 'timestamptz' },
        { property: 'id', type: 'uuid' },
      ],
    },
    defaultOrder: { field: 'SUBMITTED_AT', direction: 'DESC' },
  },
};

/** How a SupportFile is read: what it is, not what is in it. */
export const supportFileRead: ReadType = {
  name: 'SupportFile',
  entity: 'SupportFile',
  fields: {
    id: globalId('SupportFile'),
    ...properties('name', 'contentType', 'size', 'sha256', 'uploadedAt', 'uploadedBy'),
    state: computed((file) => sql`coalesce(${file.col('scanVerdict')}, 'UNSCANNED')`),
    refusalReason: property('scanReason'),
    downloadPath: computed(
      (file) =>
        sql`case when ${file.col('scanVerdict')} is distinct from 'REFUSED' then ${'/support-files/fil_'}::text || ${file.col('id')} end`,
    ),
  },
};

/** How a SupportNote is read. */
export const supportNoteRead: ReadType = {
  name: 'SupportNote',
  entity: 'SupportNote',
  fields: properties('text', 'createdAt', 'createdBy'),
};

/** What support adds to the types below it. */
export const supportRequestExtensions: TypeExtensions = {
  Customer: { supportRequests: connection('SupportRequest', 'customer') },
};

/** Root fields of support requests. */
export const supportRequestRoots: RootReads = { supportRequests: { kind: 'connection', type: 'SupportRequest' } };
