import type { AddressInfo } from 'node:net';
import type { PGlite } from '@electric-sql/pglite';
import { sql } from 'kysely';
import pino, { type Logger } from 'pino';
import { createApollo } from './apollo.js';
import { AccessTable } from './auth/auth.js';
import { Revocations } from './auth/revocations.js';
import { rememberTokens } from './auth/token-cache.js';
import { createAuthenticate } from './auth/tokens.js';
import type { Config } from './config.js';
import type { Services } from './context.js';
import { loadFacts } from './data/load-facts.js';
import { Feed } from './feed/feed.js';
import { createHttp, serveGraphql } from './http.js';
import { AccessRevocation } from './modules/access/access.entity.js';
import { Fulfilment, type FulfilmentProvider, localProvider } from './modules/orders/fulfilment.js';
import { migrate, type Orm, openOrm } from './orm.js';
import { printGraph } from './print-schema.js';
import { projectFile } from './project-file.js';
import { createExecute } from './read/execute.js';
import { PlanCache } from './read/plan.js';
import { readModel, rootReads } from './read-model.js';
import { serveDownloads } from './routes/downloads.js';
import { serveExports } from './routes/exports.js';
import { serveLive } from './routes/live.js';
import { serveOperations } from './routes/operations.js';
import { servePlayground } from './routes/playground.js';
import { serveSupportFiles } from './routes/support-files.js';
import { buildGraph } from './schema.js';
import { createSigner } from './signing.js';
import { committing } from './transaction.js';
import { type SocketServer, serveSockets } from './ws.js';

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
  const orm = await openOrm(config.database, options.pglite);
  try {
    say('bringing the tables up to date');
    await migrateApart(config, orm);
    await orm.em.fork().transactional((em) => loadFacts(em));
    await options.prepare?.(orm);
    say('building the graph');
    return await serve(config, orm, { ...options, now, log });
  } catch (error) {
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
  const patient = await openOrm({ ...config.database, poolSize: 2, statementTimeoutMs: 0 });
  try {
    await migrate(patient);
  } finally {
    await patient.close(true);
  }
}

async function serve(
  config: Config,
  orm: Orm,
  options: GatewayOptions & { now: () => Date; log: Logger },
): Promise<Gateway> {
  const { log, now } = options;
  const kysely = orm.em.fork().getKysely() as unknown as Services['kysely'];
  const { rows } = await sql<{ id: string }>`select "id" from "database_incarnation"`.execute(kysely);
  const incarnation = (rows[0] as { id: string }).id;
  const schema = await buildGraph();
  const revocations = new Revocations();
  const feed = new Feed({
    kysely,
    pollMs: config.feedPollMs,
    log,
    onEntry: (entry) => {
      if (entry.action === 'ACCESS_REVOKED') revocations.add(entry.resourceId, entry.at);
    },
  });
  let url = '';
  const services: Services = {
    config,
    orm,
    kysely,
    readSource: {
      kysely,
      model: readModel,
      roots: rootReads,
      metadata: orm.getMetadata(),
      incarnation,
      plans: new PlanCache(),
      execute: await createExecute(orm, config.database.kind === 'embedded'),
    },
    accessTable: new AccessTable(schema),
    revocations,
    signer: createSigner(config.signingSecret),
    feed,
    log,
    now,
    publicUrl: () => config.publicUrl ?? url,
    cancellationRequested: () => fulfilment.wakeIn(config.fulfilmentDelayMs),
  };
  const fulfilment = new Fulfilment((work) => committing(services, work), options.provider ?? localProvider, now, log);
  const report = (id: string, error: unknown) => log.error({ err: error, id }, 'internal error');
  const authenticate = rememberTokens(createAuthenticate(config.auth, config.signingSecret));

  await feed.start();
  // After the feed stands at the end of the log: a revocation is either read here or by the feed, never by neither.
  for (const { userPrincipalName, revokedAt } of await orm.em.fork().find(AccessRevocation, {}))
    revocations.add(userPrincipalName, revokedAt.getTime());
  const apollo = createApollo(schema, report);
  await apollo.start();
  const app = await createHttp(services, authenticate);
  let sockets: SocketServer | null = null;
  serveGraphql(app, apollo, services, authenticate);
  serveExports(app, services, authenticate);
  serveDownloads(app, services);
  await serveSupportFiles(app, services);
  await servePlayground(app, config);
  serveLive(app, projectFile('dist/live'));
  serveOperations(app, services, () => sockets, printGraph(schema));
  sockets = serveSockets(app.server, schema, services, authenticate, report);
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    await Promise.all([feed.stop(), app.close(), apollo.stop()]);
    throw error;
  }
  const { port } = app.server.address() as AddressInfo;
  url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
  fulfilment.wakeIn(0);

  return {
    url,
    services,
    stop: async () => {
      feed.drain();
      const patience = setTimeout(() => app.server.closeAllConnections(), config.drainTimeoutMs);
      await sockets.close();
      await app.close();
      clearTimeout(patience);
      await apollo.stop();
      await fulfilment.stop();
      await feed.stop();
      await orm.close(true);
    },
  };
}
