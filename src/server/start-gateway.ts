import type { AddressInfo } from 'node:net';
import type { PGlite } from '@electric-sql/pglite';
import pino, { type Logger } from 'pino';
import { FeedCursors } from '../activity-log/feed-cursors.js';
import { HorizonWatch } from '../activity-log/horizon.js';
import { establishIncarnation } from '../activity-log/incarnation.js';
import { Sealer } from '../activity-log/seal/sealer.js';
import { AccessTable } from '../auth/auth.js';
import { Revocations } from '../auth/revocations.js';
import { rememberTokens } from '../auth/token-cache.js';
import { createAuthenticate } from '../auth/tokens.js';
import type { Config } from '../config/config.js';
import type { Services } from '../context/context.js';
import { committing } from '../context/transaction.js';
import { migrate, type Orm, openOrm } from '../database/orm.js';
import { type Connections, openConnections } from '../database/pools.js';
import { KnownDocuments } from '../execution/documents.js';
import { DatabaseSource } from '../feed/entry-source.js';
import { Feed } from '../feed/feed.js';
import { NatsSource } from '../feed/nats/nats-source.js';
import { Lru } from '../lib/lru.js';
import { projectFile } from '../lib/project-file.js';
import { every } from '../lib/repeat.js';
import { createSigner } from '../lib/signing.js';
import { readRevocations } from '../modules/access/read-revocations.js';
import { Fulfilment, type FulfilmentProvider, localProvider } from '../modules/cancelling/fulfilment.js';
import { FOLD_MS, foldAllSales } from '../modules/sales/fold-sales.js';
import { PlanCache } from '../read/plan.js';
import { Together } from '../read/point-read-batcher.js';
import type { ReadSource } from '../read/reader.js';
import { buildGraph } from '../schema/build-schema.js';
import { entities } from '../schema/entities.js';
import { printGraph } from '../schema/print-schema.js';
import { readModel, rootReads } from '../schema/read-model.js';
import { loadFacts } from '../seed/reference/load-facts.js';
import { createApollo } from '../transport/http/apollo.js';
import { createHttp, serveGraphql } from '../transport/http/app.js';
import { serveDownloads } from '../transport/http/routes/downloads.js';
import { serveExports } from '../transport/http/routes/exports.js';
import { serveLive } from '../transport/http/routes/live.js';
import { serveOperations } from '../transport/http/routes/operators.js';
import { servePlayground } from '../transport/http/routes/playground.js';
import { serveSupportFiles } from '../transport/http/routes/support-files.js';
import { serveStreams } from '../transport/sse/server.js';
import { type SocketServer, serveSockets } from '../transport/ws/server.js';

/** How often to look for what other processes revoked. */
const REVOCATIONS_MS = 1_000;
/** A revocation bears the time at which its transaction began; it may be committed that much later. */
const OVERLAP_MS = 120_000;
const HORIZON_MS = 5_000;

/** What tests and operators may put in the place of the usual. */
export interface GatewayOptions {
  /** An embedded database that is open already. */
  pglite?: PGlite;
  now?: () => Date;
  provider?: FulfilmentProvider;
  log?: Logger;
  /** Hears what is being done while it starts. */
  onProgress?: (what: string) => void;
  /** Runs once tables and facts are there, before anything is served: demonstration data. */
  prepare?: (orm: Orm) => Promise<void>;
}

/** A gateway that serves. */
export interface Gateway {
  /** `http://127.0.0.1:4000` */
  url: string;
  services: Services;
  /** Says goodbye to streams, finishes what runs, closes. */
  stop(): Promise<void>;
}

/** Starts a gateway: database, facts, feed, fulfilment, routes. Rejects, with nothing left open, where any of it fails. */
export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  const say = options.onProgress ?? (() => undefined);
  const log = options.log ?? pino({ level: config.logLevel }, pino.destination(2));
  const now = options.now ?? (() => new Date());
  say('opening the database');
  const orm = await openOrm(config.database, { entities, pglite: options.pglite });
  let connections: Connections | undefined;
  try {
    say('bringing the tables up to date');
    await migrateApart(config, orm);
    await orm.em.fork().transactional((em) => loadFacts(em));
    await options.prepare?.(orm);
    say('building the graph');
    connections = await openConnections({ database: config.database, orm, entities, log });
    return await serve(config, orm, connections, { ...options, now, log });
  } catch (error) {
    await connections?.close();
    await orm.close(true);
    throw error;
  }
}

/** A migration may take longer than a statement of the gateway may. */
async function migrateApart(config: Config, orm: Orm): Promise<void> {
  if (config.database.kind === 'embedded') {
    await migrate(orm);
    return;
  }
  const patient = await openOrm({ ...config.database, poolSize: 2, statementTimeoutMs: 0 }, { entities });
  try {
    await migrate(patient);
  } finally {
    await patient.close(true);
  }
}

async function serve(
  config: Config,
  orm: Orm,
  connections: Connections,
  options: GatewayOptions & { now: () => Date; log: Logger },
): Promise<Gateway> {
  const { log, now } = options;
  const kysely = connections.internal;
  const feedCursors = new FeedCursors(config.signingSecret, (await establishIncarnation(kysely)).id);
  const schema = await buildGraph();
  const revocations = new Revocations();
  const { nats, feedPollMs } = config;
  const natsSource =
    nats && new NatsSource({ kysely, log, pollMs: feedPollMs, ...nats, incarnation: () => feedCursors.incarnation });
  const feed = new Feed({
    kysely,
    source: natsSource ?? new DatabaseSource(kysely, feedPollMs),
    log,
    onEntry: (entry) => {
      if (entry.action === 'ACCESS_REVOKED') revocations.add(entry.resourceId, entry.at);
    },
    isAnotherDatabase: async () => {
      const { id } = await establishIncarnation(kysely);
      if (id === feedCursors.incarnation) return false;
      log.warn({ incarnation: id }, 'the database is another one than before: restored, or failed over');
      feedCursors.incarnation = id;
      return true;
    },
  });
  let url = '';
  const readSource: ReadSource = {
    kysely,
    model: readModel,
    roots: rootReads,
    metadata: orm.getMetadata(),
    feedCursors,
    plans: new PlanCache(),
    joined: new Lru(1_000),
    execute: connections.interactive,
    together: new Together(connections.interactive, kysely),
  };
  const services: Services = {
    config,
    orm,
    kysely,
    readSource,
    analystReadSource: {
      ...readSource,
      execute: connections.analysts,
      together: new Together(connections.analysts, kysely),
    },
    batchReads: connections.batch,
    accessTable: new AccessTable(schema),
    revocations,
    signer: createSigner(config.signingSecret),
    feed,
    feedCursors,
    sealer: new Sealer(kysely, config.sealIntervalMs, log),
    log,
    queries: { compiled: 0, executed: 0 },
    now,
    publicUrl: () => config.publicUrl ?? url,
    cancellationRequested: () => fulfilment.wakeIn(config.fulfilmentDelayMs),
  };
  const fulfilment = new Fulfilment((work) => committing(services, work), options.provider ?? localProvider, now, log);
  const report = (id: string, error: unknown) => log.error({ err: error, id }, 'internal error');
  const authenticate = rememberTokens(createAuthenticate(config.auth, config.signingSecret));

  await feed.start();
  // After the feed stands at the end of the log: a revocation is either read here or by the feed, never by neither.
  for (const { userPrincipalName, revokedAt } of await readRevocations(kysely))
    revocations.add(userPrincipalName, revokedAt);
  const horizon = new HorizonWatch(kysely, log, config.horizonWarnMs);
  const chores = [
    every(FOLD_MS, 'folding sales', () => foldAllSales((work) => orm.em.fork().transactional((em) => work(em))), log),
  ];
  if (config.database.kind === 'server') {
    // The feed tells revocations too, but not before its horizon: one may wait for somebody's long transaction.
    const learn = async () => {
      const recent = await readRevocations(kysely, now().getTime() - OVERLAP_MS);
      const news = recent.filter(({ userPrincipalName, revokedAt }) => revocations.add(userPrincipalName, revokedAt));
      if (news.length > 0) feed.wake();
    };
    chores.push(every(REVOCATIONS_MS, 'reading revocations', learn, log));
    chores.push(every(HORIZON_MS, "watching the feed's horizon", () => horizon.look(), log));
  }
  const known = new KnownDocuments();
  const apollo = createApollo(schema, report, known);
  await apollo.start();
  const app = await createHttp(services, authenticate);
  let sockets: SocketServer | null = null;
  serveGraphql(app, apollo, schema, services, authenticate, known, report);
  const streams = serveStreams(app, schema, services, authenticate, report);
  serveExports(app, services, authenticate);
  serveDownloads(app, services);
  await serveSupportFiles(app, services);
  await servePlayground(app, config);
  serveLive(app, projectFile('dist/live'));
  const open = { sockets: () => sockets, streams: () => streams.streams, natsSource, horizon, known, connections };
  serveOperations(app, services, open, printGraph(schema));
  sockets = serveSockets(app.server, schema, services, authenticate, report);
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await Promise.all([feed.stop(), app.close(), apollo.stop(), ...chores.map((chore) => chore.stop())]);
    throw error;
  }
  const { port } = app.server.address() as AddressInfo;
  url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  fulfilment.wakeIn(0);
  services.sealer.start();

  return {
    url,
    services,
    stop: async () => {
      feed.drain();
      const patience = setTimeout(() => app.server.closeAllConnections(), config.drainTimeoutMs);
      await Promise.all([sockets.close(), streams.close()]);
      await app.close();
      clearTimeout(patience);
      await apollo.stop();
      await fulfilment.stop();
      await Promise.all(chores.map((chore) => chore.stop()));
      await services.sealer.stop();
      await feed.stop();
      await connections.close();
      await orm.close(true);
    },
  };
}
