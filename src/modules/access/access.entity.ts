import { defineEntity, type InferEntity, p } from '@mikro-orm/core';

/**
 * Whose access is or was revoked: one row for each, which stands until access is given back, whatever tokens come. What
 * somebody made up to `revokedAt` stays dead.
 */
export const AccessRevocation = defineEntity({
  name: 'AccessRevocation',
  tableName: 'access_revocations',
  properties: {
    /** Key of the identity (`auth/identity.ts`); `name:` and the name for those from before identities were kept. */
    identity: p.text().primary(),
    /** What people called them, in lower case. */
    userPrincipalName: p.text().check('user_principal_name = lower(user_principal_name)'),
    revokedAt: p.datetime(3),
    revokedBy: p.text(),
    reason: p.text().nullable(),
    /** Null while the revocation stands. */
    restoredAt: p.datetime(3).nullable(),
    restoredBy: p.text().nullable(),
    /** Drawn anew at each change, under a lock that keeps changes in the order in which they are committed. */
    revision: p.bigint('number').columnType('bigint').defaultRaw('next_access_revision()'),
  },
  indexes: [
    { name: 'access_revocations_revision_idx', properties: ['revision'] },
    { name: 'access_revocations_name_idx', properties: ['userPrincipalName'] },
  ],
});
export type AccessRevocation = InferEntity<typeof AccessRevocation>;

/** Who ever came with a valid token, under which names: `revokeAccess` finds people here. */
export const KnownUser = defineEntity({
  name: 'KnownUser',
  tableName: 'known_users',
  properties: {
    /** Key of the identity (`auth/identity.ts`), whose parts follow. */
    identity: p.text().primary(),
    /** In lower case. One that changed its name has a row for each. */
    userPrincipalName: p.text().primary(),
    issuer: p.text(),
    tenantId: p.uuid().nullable(),
    objectId: p.text(),
    firstSeenAt: p.datetime(3).defaultRaw('clock_timestamp()'),
  },
  indexes: [
    { name: 'known_users_name_idx', properties: ['userPrincipalName'] },
    { name: 'known_users_object_idx', properties: ['objectId'] },
  ],
});
export type KnownUser = InferEntity<typeof KnownUser>;

/** The gateways that serve from this database, and what each knows of revocations: see `auth/access-watch.ts`. */
export const GatewayProcess = defineEntity({
  name: 'GatewayProcess',
  tableName: 'gateway_processes',
  properties: {
    id: p.uuid().primary(),
    startedAt: p.datetime(3),
    /** Until when others wait for it. */
    aliveUntil: p.datetime(3),
    /** Every change of access up to this revision is known to it. */
    accessRevision: p.bigint('number'),
  },
});

/** How a session is connected. */
export const SessionTransport = { WEBSOCKET: 'WEBSOCKET', EVENT_STREAM: 'EVENT_STREAM', EXPORT: 'EXPORT' } as const;

/** A connection that stays open: its process writes it down, and keeps its figures about right. */
export const Session = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  properties: {
    id: p.uuid().primary(),
    process: p.manyToOne(GatewayProcess).deleteRule('cascade').fieldName('process_id'),
    userPrincipalName: p.text(),
    /** Identity of the user; null for one without a token. */
    issuer: p.text().nullable(),
    tenantId: p.uuid().nullable(),
    objectId: p.text().nullable(),
    roles: p.array().columnType('text[]'),
    application: p.text().nullable(),
    transport: p.enum(Object.values(SessionTransport)),
    /** Where the connection comes from: of the client, or of the proxy before it. */
    address: p.text(),
    openedAt: p.datetime(3),
    /** When the token ends. */
    expiresAt: p.datetime(3).nullable(),
    /** Operations that run, and bytes sent so far, as of `updatedAt`. */
    operations: p.integer(),
    bytesSent: p.bigint('string'),
    updatedAt: p.datetime(3).defaultRaw('clock_timestamp()'),
    /** Its process is to cut it. */
    endRequestedAt: p.datetime(3).nullable(),
  },
  indexes: [
    { name: 'sessions_opened_idx', properties: ['openedAt', 'id'] },
    { name: 'sessions_process_idx', properties: ['process'] },
  ],
});
export type Session = InferEntity<typeof Session>;

/** The first answer to a mutation, by caller, operation and key (rule 5). */
export const IdempotencyKey = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  properties: {
    caller: p.text().primary(),
    operation: p.text().primary(),
    key: p.text().primary(),
    /** SHA-256 of the input in canonical form. */
    fingerprint: p.text(),
    answer: p.json<Record<string, unknown>>().columnType('jsonb'),
    createdAt: p.datetime(3),
    /** Until when the answer counts: 45 days, more than the 40 of rule 5. */
    expiresAt: p.datetime(3),
  },
  indexes: [{ name: 'idempotency_keys_expiry_idx', properties: ['expiresAt'] }],
});
export type IdempotencyKey = InferEntity<typeof IdempotencyKey>;
