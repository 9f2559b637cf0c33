import type { ApolloServer } from '@apollo/server';
import type { FastifyInstance } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { HorizonWatch } from '../activity-log/horizon.js';
import type { Sealer } from '../activity-log/seal/sealer.js';
import type { KeySets } from '../auth/key-sets.js';
import type { SchemaViews } from '../auth/schema-views.js';
import type { KnownTokens } from '../auth/token-cache.js';
import type { Context, Services } from '../context/context.js';
import type { Connections } from '../database/pools.js';
import type { DocumentCache } from '../execution/documents.js';
import { operationRules } from '../execution/prepare.js';
import type { TrustedDocuments } from '../execution/trusted-documents.js';
import type { FanOut } from '../feed/delivery/fan-out.js';
import type { NatsSource } from '../feed/nats/nats-source.js';
import type { ReportInternalError } from '../graphql/errors.js';
import type { JobWorker } from '../jobs/job-worker.js';
import { projectFile } from '../lib/project-file.js';
import { CallerBounds } from '../transport/bounds.js';
import { HeldAnswers } from '../transport/held-answers.js';
import { Callers } from '../transport/http/callers.js';
import { boundConnections } from '../transport/http/connections.js';
import type { Cuts } from '../transport/http/cuts.js';
import { serveGraphql } from '../transport/http/graphql-route.js';
import { readJson } from '../transport/http/json-bodies.js';
import type { Lines } from '../transport/http/lines.js';
import { answerOtherMethods } from '../transport/http/methods.js';
import { serveDownloads } from '../transport/http/routes/downloads.js';
import { serveExports } from '../transport/http/routes/exports.js';
import { serveLive } from '../transport/http/routes/live.js';
import { serveOperators } from '../transport/http/routes/operators.js';
import { servePlayground } from '../transport/http/routes/playground.js';
import { serveSchema } from '../transport/http/routes/schema.js';
import { serveSupportFileDownloads } from '../transport/http/routes/support-file-downloads.js';
import { serveSupportFiles } from '../transport/http/routes/support-files.js';
import type { Origins } from '../transport/origins.js';
import { type EventStreams, serveStreams } from '../transport/sse/server.js';
import { type SocketServer, serveSockets } from '../transport/ws/server.js';
import type { Lifecycle } from './lifecycle.js';

/** What the doors open to. */
export interface DoorsOptions {
  app: FastifyInstance;
  /** Listens for operators alone; null: they ask where everybody does. */
  admin: FastifyInstance | null;
  origins: Origins;
  /** Connections that were cut off. */
  cuts: Cuts;
  apollo: ApolloServer<Context>;
  schema: GraphQLSchema;
  views: SchemaViews;
  services: Services;
  authenticate: KnownTokens;
  documents: DocumentCache;
  trusted: TrustedDocuments;
  report: ReportInternalError;
  fanOut: FanOut;
  /** What only the metrics ask. */
  horizon: HorizonWatch;
  keySets: KeySets;
  nats: NatsSource | null;
  sealer: Sealer;
  worker: JobWorker;
  connections: Connections;
  lifecycle: Lifecycle;
}

/** Opens every door of the gateway on an application that does not listen yet: HTTP, WebSocket, event streams, pages. */
export async function openDoors(options: DoorsOptions): Promise<void> {
  const { app, admin, origins, cuts, apollo, schema, views, services, authenticate, documents, trusted, report } =
    options;
  const { fanOut, lifecycle } = options;
  const apps = admin ? [app, admin] : [app];
  const completeMethods = apps.map((one) => answerOtherMethods(one, origins));
  const rules = operationRules({ schema, views, documents, trusted, report });
  const bounds = new CallerBounds(services.config.bounds, services.refusals);
  const answers = new HeldAnswers(services.config.bounds, services.refusals);
  const callers = new Callers(authenticate, services.addressOf);
  const lines = boundConnections(app, bounds, cuts, callers, services);
  readJson(app, services);
  serveGraphql({ app, apollo, schema, services, authenticate, documents, trusted, report, bounds, answers });
  const sockets = serveSockets({ server: app.server, origins, services, authenticate, rules, fanOut, bounds, answers });
  callers.queueUpgrades(app.server);
  const streams = serveStreams({ app, services, authenticate, rules, fanOut, bounds });
  const closing = () => closeDoors({ apps, services, sockets, streams, lines });
  lifecycle.onClose('the doors', closing, services.config.drainTimeoutMs);
  serveExports(app, services, authenticate, bounds);
  serveDownloads(app, services);
  await serveSupportFiles(app, services, bounds);
  serveSupportFileDownloads(app, services, authenticate, bounds);
  await servePlayground(app, services.config);
  const { auth } = services.config;
  serveLive(app, projectFile('dist/live'), auth.kind === 'jwks' ? auth.signIn : null);
  const { horizon, keySets, nats, sealer, worker, connections } = options;
  const observed = {
    services,
    sockets,
    streams,
    fanOut,
    horizon,
    keySets,
    nats,
    sealer,
    worker,
    documents,
    connections,
  };
  serveOperators(admin ?? app, observed);
  serveSchema(app, services, authenticate, views);
  for (const complete of completeMethods) complete();
}

/** Tells streams where to resume, answers what runs, then closes; what is left after the drain's time is cut. */
async function closeDoors({
  apps,
  services,
  sockets,
  streams,
  lines,
}: {
  /** In the order in which they close: operators see to the end whether it still runs. */
  apps: FastifyInstance[];
  services: Services;
  sockets: SocketServer;
  streams: EventStreams;
  lines: Lines;
}): Promise<void> {
  services.feed.drain();
  const drainTimer = setTimeout(() => {
    for (const { server } of apps) server.closeAllConnections();
  }, services.config.drainTimeoutMs);
  await Promise.all([sockets.close(), streams.close()]);
  for (const app of apps) {
    const closed = app.close();
    lines.closeIdle();
    await closed;
  }
  clearTimeout(drainTimer);
}
