/** Keys of PostgreSQL's advisory locks. Here together, so that no two are the same: strangers would wait for each other. */
export const AdvisoryLock = {
  /** Migrations run in one process at a time. */
  MIGRATION: 4_275_001,
  /** One price list is imported at a time. */
  PRICE_LIST: 4_275_002,
  /** Demonstration data is loaded once. */
  DEMO_LOAD: 4_275_003,
  /** One process rolls up sales. */
  SALES_ROLL_UP: 4_275_004,
  /** One process relays the log to NATS. */
  RELAY: 4_275_005,
  /** The incarnation of the database is established by one process at a time. */
  INCARNATION: 4_275_006,
  /** One process seals the log. */
  SEAL: 4_275_007,
  /** Encryption keys become known to the database by one process at a time. */
  ENCRYPTION_KEYS: 4_275_008,
  /** Access is revoked and given back by one transaction at a time. */
  ACCESS_CHANGE: 4_275_009,
  /** Policies are imported by one process at a time. */
  POLICIES: 4_275_030,
  /** One reconciliation file is imported at a time. */
  RECONCILIATION: 4_275_040,
  /** Shared by whatever books on an invoice, alone for the closing of a month (`guard_open_month` in the migrations). */
  BOOKING: 4_275_031,
  /** First of two keys, the second being the hash of an identity: shared by what it does, alone for its revocation. */
  IDENTITY: 4_275_010,
} as const;
