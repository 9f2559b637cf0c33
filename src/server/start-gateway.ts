import type { AddressInfo, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino, { type Logger } from 'pino';
import { FEED_CURSORS } from '../activity-log/feed-cursors.js';
import { Sealer } from '../activity-log/seal/sealer.js';
import { AccessTable } from '../auth/access-table.js';
import { KeySets } from '../auth/key-sets.js';
import { noteUsers } from '../auth/known-users.js';
import { SchemaViews } from '../auth/schema-views.js';
import { rememberTokens } from '../auth/token-cache.js';
import { createAuthenticate } from '../auth/tokens.js';
import type { Config } from '../config/config.js';
import { type Clock, databaseClock } from '../context/clock.js';
import type { Services } from '../context/context.js';
import { inOwnTransaction } from '../context/transaction.js';
import { openSharedCounters } from '../cost/shared-counters.js';
import type { Em, Orm } from '../database/orm.js';
import { type Connections, openConnections } from '../database/pools.js';
import { DocumentCache } from '../execution/documents.js';
import { TrustedDocuments } from '../execution/trusted-documents.js';
import { EntryTable } from '../feed/entry-table.js';
import { Refusals } from '../graphql/refusals.js';
import { clientAddress } from '../lib/client-address.js';
import { Lru } from '../lib/lru.js';
import { OneAtATime } from '../lib/one-at-a-time.js';
import { createSigner } from '../lib/signing.js';
import { Turns } from '../lib/turns.js';
import type { FulfilmentProvider } from '../modules/fulfilling/provider.js';
import { FileScans } from '../modules/support/scan/file-scans.js';
import { PlanCache } from '../read/plan.js';
import { PointReadBatcher } from '../read/point-read-batcher.js';
import type { ReadSource } from '../read/read-source.js';
import { accessRules } from '../schema/access-rules.js';
import { buildGraph } from '../schema/build-schema.js';
import { entities } from '../schema/entities.js';
import { readModel, rootReads } from '../schema/read-model.js';
import { createApollo } from '../transport/http/apollo.js';
import { createApp } from '../transport/http/app.js';
import { Cuts } from '../transport/http/cuts.js';
import { Origins } from '../transport/origins.js';
import { liveOperations } from '../web/live/operations.js';
import { Lifecycle } from './lifecycle.js';
import { type OpeningOptions, openDatabase } from './open-database.js';
import { openDoors } from './open-doors.js';
import { startCostControl } from './start-cost-control.js';
import { startFeed } from './start-feed.js';
import { startJobs } from './start-jobs.js';
import { startPeriodicWork } from './start-periodic-work.js';
import { startProvider } from './start-provider.js';

/** What tests and operators may put in the place of the usual. */
export interface GatewayOptions extends OpeningOptions {
  /** The time, in the place of the database's clock and of the process's. */
  now?: () => Date;
  provider?: FulfilmentProvider;
  log?: Logger;
}

/** A gateway that serves. */
export interface Gateway {
  /** `http://127.0.0.1:4000` */
  url: string;
  /** Where operators ask, where that is a listener of its own. */
  adminUrl: string | null;
  services: Services;
  sealer: Sealer;
  /** Tells streams to come back elsewhere, finishes what runs, closes. */
  stop(): Promise<void>;
}

/**
 * Starts a gateway: database, feed, fulfilment, doors. Rejects, with nothing left open, where any of it fails.
 * @throws {ConfigError} where the keys of product keys are not those of the database, or a trusted document does not hold
 */
export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  const lifecycle = new Lifecycle();
  try {
    return await start(config, options, lifecycle);
  } catch (error) {
    await lifecycle.close().catch(() => undefined);
    throw error;
  }
}

async function start(config: Config, options: GatewayOptions, lifecycle: Lifecycle): Promise<Gateway> {
  const { now, onProgress = () => undefined } = options;
  const clock: Clock = now ?? databaseClock;
  const log = options.log ?? pino({ level: config.logLevel }, pino.destination(2));
  const orm = await openDatabase(config, options, lifecycle);
  onProgress('building the graph');
  const refusals = new Refusals();
  const connections = await openConnections({ database: config.database, orm, entities, refusals, log });
  lifecycle.onClose('connections of reads and of the gateway itself', () => connections.close());
  const { internal: kysely, internalPool: pool } = connections;
  const counters = openSharedCounters({ limiter: config.limiter, pool, kysely, log });
  lifecycle.onClose('shared counters', () => counters.close());
  const started = options.provider
    ? { provider: options.provider, telling: null }
    : await startProvider({ config, kysely, counters });
  const { provider, telling } = started;
  const schema = await buildGraph();
  const table = new EntryTable(kysely, connections.batchExecute);
  const { fanOut, horizon, nats, ...running } = await startFeed({ config, kysely, table, log, lifecycle });
  const { feed, feedCursors } = running;

  const { jobs, worker, begin } = await startJobs({ config, orm, connections, feed, provider, clock, log, lifecycle });
  const sealer = new Sealer(kysely, config.sealIntervalMs, log);
  lifecycle.onClose('the sealer', () => sealer.stop());
  const inTransaction = <Result>(work: (em: Em) => Promise<Result>) => inOwnTransaction({ orm, feed, jobs }, work);
  startPeriodicWork({ inTransaction, reads: () => orm.em.fork(), telling, jobs, config, clock, log, lifecycle });
  const scans = config.fileScan && new FileScans({ scan: config.fileScan, inTransaction, clock, log });
  lifecycle.onClose('scans of files', async () => scans?.stop());

  const costs = await startCostControl({ config, orm, connections, counters, schema, refusals, log, lifecycle });
  const report = (id: string, error: unknown) => log.error({ err: error, id }, 'internal error');
  const documents = new DocumentCache();
  const accessTable = new AccessTable(accessRules);
  const views = new SchemaViews(schema, accessTable, config.introspection);
  const trusted = new TrustedDocuments({ config: config.trustedDocuments, schema, documents, pages: liveOperations });
  const apollo = createApollo({ schema, views, report, documents, trusted });
  await apollo.start();
  lifecycle.onClose('Apollo', () => apollo.stop());
  const origins = new Origins(config.corsOrigins, config.publicUrl);
  const cuts = new Cuts(config.trustedProxies);
  const addressOf = clientAddress(config.trustedProxies);
  const shared = { config, origins, refusals, log, addressOf, noteCut: (socket: Socket) => cuts.note(socket) };
  const app = await createApp(shared);
  const services: Services = {
    config,
    orm,
    kysely,
    ...readSources(orm, connections, feedCursors),
    batchReads: connections.batch,
    batchLanes: connections.batchLanes,
    accessTable,
    signer: createSigner(config.signingSecret),
    ...running,
    log,
    lanes: connections.lanes,
    writeLanes: connections.writeLanes,
    costs,
    refusals,
    turns: new Turns(),
    rows: new OneAtATime((config.database.kind === 'server' && config.database.lockTimeoutMs) || 0),
    queries: { compiled: 0, executed: 0 },
    clock,
    now: now ?? (() => new Date()),
    publicUrl: () => config.publicUrl ?? urlOf(app, config.host),
    addressOf,
    fileAttached: () => scans?.wake(),
    jobs,
    asksForPurchases: provider.purchase !== null,
    keepsIntents: provider.keepsIntents === true,
    upstream: telling?.account ?? null,
  };
  const keySets = new KeySets({ log });
  const { auth, signingSecret } = config;
  const authenticate = rememberTokens(noteUsers(createAuthenticate({ auth, signingSecret, keySets, log }), kysely));
  const admin = config.admin.listen && (await createApp(shared));
  await openDoors({
    app,
    admin,
    origins,
    cuts,
    apollo,
    schema,
    views,
    services,
    authenticate,
    keySets,
    documents,
    trusted,
    report,
    fanOut,
    horizon,
    nats,
    sealer,
    worker,
    connections,
    lifecycle,
  });
  if (admin && config.admin.listen) await admin.listen(config.admin.listen);
  await app.listen({ host: config.host, port: config.port });
  await begin();
  sealer.start();
  const adminUrl = admin && config.admin.listen ? urlOf(admin, config.admin.listen.host) : null;
  return { url: urlOf(app, config.host), adminUrl, services, sealer, stop: () => lifecycle.close() };
}

/** What readers share: those of operations, and those of analysts, on connections of their own. */
function readSources(
  orm: Orm,
  connections: Connections,
  feedCursors: Services['feedCursors'],
): Pick<Services, 'readSource' | 'analystReadSource'> {
  const { interactive, analysts, internal: kysely, areSelfLimiting } = connections;
  const readSource: ReadSource = {
    kysely,
    model: readModel,
    roots: rootReads,
    metadata: orm.getMetadata(),
    cursorCodecs: new Map([[FEED_CURSORS, feedCursors]]),
    plans: new PlanCache(),
    joined: new Lru(1_000),
    execute: interactive,
    areSelfLimiting,
    pointReads: new PointReadBatcher(interactive, kysely),
  };
  const pointReads = new PointReadBatcher(analysts, kysely);
  return { readSource, analystReadSource: { ...readSource, execute: analysts, pointReads } };
}

/** Where an application listens: `http://127.0.0.1:4000`. */
function urlOf({ server }: FastifyInstance, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
