import { sql } from 'kysely';
import { globalId } from '../../read/fields.js';
import { computed, properties, property, type ReadType, type RootReads } from '../../read/model.js';
import type { Param } from '../../read/param.js';

/** How a Session is read: those of processes that live. */
export const sessionRead: ReadType = {
  name: 'Session',
  entity: 'Session',
  fields: {
    id: globalId('Session'),
    user: {
      kind: 'embedded',
      fields: properties('userPrincipalName', 'issuer', 'tenantId', 'objectId'),
    },
    ...properties('roles', 'application', 'transport', 'address', 'openedAt', 'expiresAt', 'updatedAt'),
    runningOperations: property('operations'),
    bytesSent: computed((session) => sql`${session.col('bytesSent')}`),
  },
  listing: {
    defaultScope: (session) =>
      sql`exists (select from "gateway_processes" where "id" = ${session.col('process')} and "alive_until" > clock_timestamp())`,
    filters: {
      userPrincipalName: (session, name: Param<string>) =>
        sql`${session.col('userPrincipalName')} = ${name.map((text) => text.toLowerCase())}`,
      objectId: (session, objectId: Param<string>) => sql`${session.col('objectId')} = ${objectId}`,
      transport: (session, transport: Param<string>) => sql`${session.col('transport')} = ${transport}`,
    },
    orders: {
      OPENED_AT: [
        { property: 'openedAt', type: 'timestamptz' },
        { property: 'id', type: 'uuid' },
      ],
    },
    defaultOrder: { field: 'OPENED_AT', direction: 'ASC' },
  },
};

/** Root fields of sessions. */
export const sessionRoots: RootReads = { sessions: { kind: 'connection', type: 'Session' } };
