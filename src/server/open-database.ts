import type { PGlite } from '@electric-sql/pglite';
import type { Config } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { migrate, type Orm, openOrm } from '../database/orm.js';
import { acceptEncryptionKeys } from '../modules/entitlements/encryption-keys.js';
import { entities } from '../schema/entities.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';
import type { Lifecycle } from './lifecycle.js';

/** What may be put in the place of the usual. */
export interface OpeningOptions {
  /** An embedded database that is open already. */
  pglite?: PGlite;
  /** Hears what is being done while it starts. */
  onProgress?: (what: string) => void;
  /** Runs once tables and reference data are there, before anything is served: demonstration data. */
  prepare?: (orm: Orm) => Promise<void>;
}

/** The database with its tables, reference data, and whatever the caller prepares. */
export async function openDatabase(config: Config, options: OpeningOptions, lifecycle: Lifecycle): Promise<Orm> {
  const { database } = config;
  const { pglite, onProgress = () => undefined } = options;
  onProgress('opening the database');
  const lockTimeoutMs = database.kind === 'server' ? database.lockTimeoutMs : undefined;
  const orm = await openOrm(database, { entities, pglite, lockTimeoutMs });
  lifecycle.onClose('the database', () => orm.close(true));
  if (database.kind === 'embedded') {
    await fill(orm, config, options);
    return orm;
  }
  // Migrations and large loads take longer than a statement of the gateway may, and wait longer for each other.
  const patient = await openOrm({ ...database, poolSize: 2, statementTimeoutMs: 0 }, { entities });
  try {
    await fill(patient, config, options);
  } finally {
    await patient.close(true);
  }
  return orm;
}

/** Brings tables and rows to where the gateway can serve them. @throws {ConfigError} */
async function fill(
  orm: Orm,
  config: Config,
  { prepare, onProgress = () => undefined }: OpeningOptions,
): Promise<void> {
  onProgress('bringing the tables up to date');
  await migrate(orm);
  await orm.em.fork().transactional((em) => loadReferenceData(em));
  const problems = await orm.em.fork().transactional((em) => acceptEncryptionKeys(em, config.productKeySecrets));
  if (problems.length > 0) throw new ConfigError(problems);
  await prepare?.(orm);
}
