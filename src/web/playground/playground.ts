import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { connectSources } from '../connect-sources.js';

/** A token that the page offers in its role switch. Titles are unique: "CUSTOMER_ADMIN of Fabrikam". */
export interface DemoToken {
  role: string;
  title: string;
  token: string;
}

/** An operation that the page opens as a tab. */
export interface PlaygroundExample {
  name: string;
  query: string;
  /** JSON. */
  variables?: string;
}

/** Where a visitor gets a token from. */
export interface TokenSources {
  /** Signed for each visit, so that they are fresh. The first one is what a new visitor starts with. */
  demoTokens: DemoToken[];
  /** How to sign in at the identity provider; null: nobody does here. */
  signIn: { authority: string; clientId: string; scopes: string } | null;
  /** What somebody is told who gets none of the page; null: nobody is. */
  advice: string | null;
}

/** What the playground shows, and where its files are. */
export interface PlaygroundOptions {
  /** What `bundle.mjs` made: `index.html` and `assets/`. */
  assetsDir: string;
  /** Without it only the name and addresses of the gateway are served. */
  isOn: boolean;
  /** Asked for each visit. */
  tokenSources: (request: FastifyRequest) => Promise<TokenSources>;
  /** Origins that the page may ask beside the gateway's own. */
  connectsTo: string[];
  examples: PlaygroundExample[];
}

const NOT_BUNDLED = 'The playground is not bundled. Run: node src/web/playground/bundle.mjs, then start again.\n';

/** Serves the playground: the page at `/`, its settings and its files under `/playground/`. Nothing comes from elsewhere. */
export async function registerPlayground(app: FastifyInstance, options: PlaygroundOptions): Promise<void> {
  if (!options.isOn) {
    app.get('/', async () => ({ name: 'csp-graph', graphql: '/graphql', schema: '/schema.graphql' }));
    return;
  }
  const page = await readFile(join(options.assetsDir, 'index.html')).catch(() => null);

  app.get('/', async (request, reply) => {
    reply.headers({ vary: 'accept, origin', 'cache-control': 'no-cache' });
    if (!request.headers.accept?.includes('text/html')) {
      return { name: 'csp-graph', graphql: '/graphql', schema: '/schema.graphql', playground: '/ (text/html)' };
    }
    if (!page) return reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUNDLED);
    return reply
      .header('content-security-policy', pagePolicy(request, options.connectsTo))
      .type('text/html; charset=utf-8')
      .send(page);
  });

  app.get('/playground/config.json', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    return { ...(await options.tokenSources(request)), examples: options.examples };
  });

  if (!page) {
    app.log.warn(NOT_BUNDLED.trim());
    return;
  }
  await app.register(fastifyStatic, {
    root: join(options.assetsDir, 'assets'),
    prefix: '/playground/assets/',
    decorateReply: false,
    index: false,
    preCompressed: true,
    // The names carry a hash of the contents.
    immutable: true,
    maxAge: '365d',
    setHeaders: (reply) => void reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'"),
  });
}

/** The page may load from the gateway only, and sign in where it is set to. Monaco and its widgets write styles into the page; nothing else is inline. */
function pagePolicy(request: FastifyRequest, connectsTo: string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self'",
    "img-src 'self' data:",
    `connect-src ${connectSources(request.host, connectsTo)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
