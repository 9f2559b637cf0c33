import { PGlite, type PGliteOptions, types } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { Migrator, TSMigrationGenerator } from '@mikro-orm/migrations';
import { PgliteDriver } from '@mikro-orm/pglite';
import {
  type EntitySchema,
  MikroORM,
  type Options,
  PostgreSqlDriver,
  type SqlEntityManager,
} from '@mikro-orm/postgresql';
import { migrations } from '../../migrations/index.js';
import type { DatabaseConfig } from '../config/config.js';
import { AdvisoryLock } from './advisory-locks.js';
import { lockEmbeddedDatabase } from './embedded-lock.js';
import { inLockOrder } from './lock-order.js';
import { type PipelinedClient, prepareOn } from './prepared.js';
import { writesAtFlush } from './writes.js';

/** The ORM over either engine. */
export type Orm = MikroORM;
/** A unit of work over either engine; entities are for writing, reads go through `read/`. */
export type Em = SqlEntityManager;

/** What an embedded database has, and how it reads values: days stay text, as from a server, and are no instants. */
export const embeddedOptions: PGliteOptions = {
  extensions: { pg_trgm },
  parsers: { [types.DATE]: (day: string) => day },
};

const shared: Options = {
  ensureDatabase: false,
  extensions: [Migrator],
  migrations: {
    migrationsList: migrations,
    tableName: 'migrations',
    path: 'migrations',
    emit: 'ts',
    snapshotName: '.snapshot-csp-graph',
    // Running migrations must not write into the project; who makes or checks one asks for it.
    snapshot: false,
    generator: TSMigrationGenerator,
    allOrNothing: true,
    disableForeignKeys: false,
  },
  // Functions are the migrations' own: the ORM has no word for STABLE, on which `feed_horizon()` depends. So are the
  // tables of pg-boss.
  schemaGenerator: { ignoreRoutines: true, ignoreSchema: ['pgboss'] },
  forceUtcTimezone: true,
  subscribers: [writesAtFlush],
  // What ran is answered by `migrate`; standard output is for the one line that says where the gateway serves.
  logger: () => undefined,
};

/** What node-postgres' pool tells of its connections. */
interface Pool {
  on(event: 'connect', listener: (client: Client) => void): void;
}

interface Client extends PipelinedClient {
  on(event: 'error', listener: () => void): void;
  once(event: 'end', listener: () => void): void;
  release(destroy: boolean): void;
}

/**
 * Kysely gives a connection back after COMMIT or ROLLBACK. One that the server ends inside a transaction answers
 * neither, and would count against the pool for ever: after as many losses as it holds, everything would wait. The
 * statement that runs on it fails; the event, unheard, would end the process.
 */
function releaseLostConnections(pool: Pool): void {
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    client.once('end', () =>
      setImmediate(() => {
        try {
          client.release(true);
        } catch {
          // It was given back already.
        }
      }),
    );
  });
}

/** What the database is handed: it knows no table of its own. */
export interface OrmOptions {
  entities: EntitySchema[];
  /** An embedded database of the caller's own: tests hand over one with a loaded data directory. */
  pglite?: PGlite | undefined;
  /** How long a statement waits for what another transaction holds; as long as it may run where left out. */
  lockTimeoutMs?: number | undefined;
  /** Whether the migrator keeps the snapshot beside the migrations: to make or check one. */
  withSnapshot?: boolean;
}

/**
 * Opens the database. Connects on first use; run `migrate` before anything else.
 * @throws {EmbeddedDatabaseInUse} where another process has the embedded database open
 */
export async function openOrm(database: DatabaseConfig, options: OrmOptions): Promise<Orm> {
  const { entities, pglite: instance, withSnapshot = false } = options;
  const common: Options = { ...shared, entities, migrations: { ...shared.migrations, snapshot: withSnapshot } };
  if (database.kind === 'server') {
    return MikroORM.init({
      ...common,
      driver: PostgreSqlDriver,
      clientUrl: database.url,
      pool: { min: 0, max: database.poolSize },
      driverOptions: {
        // Read by node-postgres too: the ORM takes host and user out of it, and leaves out that TLS is wanted.
        connectionString: database.url,
        application_name: 'csp-graph',
        statement_timeout: database.statementTimeoutMs,
        lock_timeout: options.lockTimeoutMs ?? 0,
        // An open writing transaction holds the feed's horizon back for everybody.
        idle_in_transaction_session_timeout: 30_000,
        // Statements need not wait for the answers of those before (prepared.ts).
        pipeline: true,
        onPoolCreated: (pool: Pool) => {
          releaseLostConnections(pool);
          pool.on('connect', prepareOn);
        },
      },
    });
  }
  const unlock =
    instance || database.dataDir.startsWith('memory://') ? () => undefined : lockEmbeddedDatabase(database.dataDir);
  const pglite =
    instance ??
    (await PGlite.create(database.dataDir, embeddedOptions).catch((error) => {
      unlock();
      throw error;
    }));
  const orm = await MikroORM.init({
    ...common,
    driver: PgliteDriver,
    dbName: 'postgres',
    driverOptions: { pglite },
  } as unknown as Options);
  const close = orm.close.bind(orm);
  orm.close = async (force?: boolean) => {
    await close(force);
    if (!pglite.closed) await pglite.close();
    unlock();
  };
  return orm as Orm;
}

/** Brings the tables up to date, one process at a time. Answers the names of the migrations that ran. */
export function migrate(orm: Orm): Promise<string[]> {
  return underMigrationLock(orm, () => orm.migrator.up());
}

/** Takes the last migration back. Answers its name, or nothing where none is left. */
export function migrateDown(orm: Orm): Promise<string[]> {
  return underMigrationLock(orm, () => orm.migrator.down());
}

async function underMigrationLock(orm: Orm, work: () => Promise<{ name: string }[]>): Promise<string[]> {
  const names = async () => (await work()).map((migration) => migration.name);
  // The embedded database belongs to one process and has one connection: the lock would wait for itself.
  if (orm.driver instanceof PgliteDriver) return names();
  return orm.em.fork().transactional(async (em) => {
    await em.execute('set local statement_timeout = 0');
    await em.execute('set local idle_in_transaction_session_timeout = 0');
    inLockOrder(em, 'MIGRATION');
    await em.execute(`select pg_advisory_xact_lock(${AdvisoryLock.MIGRATION})`);
    return names();
  });
}
