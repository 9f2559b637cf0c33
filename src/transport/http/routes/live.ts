import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { SignInConfig } from '../../../config/auth-config.js';
import { connectSources } from '../../../web/connect-sources.js';
import { withPageETag } from '../etag.js';

const files = {
  '/live': ['index.html', 'text/html; charset=utf-8'],
  '/live/live.js': ['live.js', 'text/javascript; charset=utf-8'],
  '/live/live.css': ['live.css', 'text/css; charset=utf-8'],
  '/signed-in': ['signed-in.html', 'text/html; charset=utf-8'],
  '/signed-in/signed-in.js': ['signed-in.js', 'text/javascript; charset=utf-8'],
  '/signed-in/signed-in.css': ['signed-in.css', 'text/css; charset=utf-8'],
} as const;

/** What the pages of the gateway may connect to beside it: where people sign in. */
export function signInOrigin(signIn: SignInConfig | null): string[] {
  return signIn ? [new URL(signIn.authority).origin] : [];
}

/**
 * `/live`, the activity feed as a page, and `/signed-in`, where the identity provider leads back to.
 * @param folder what `src/web/live/bundle.mjs` made
 */
export function serveLive(app: FastifyInstance, folder: string, signIn: SignInConfig | null): void {
  const policyFor = (host: string) =>
    `default-src 'none'; script-src 'self'; style-src 'self'; connect-src ${connectSources(host, signInOrigin(signIn))}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  // Read once: whoever asks for a file and takes it slowly holds nothing of their own.
  const contents = new Map<string, Buffer>();
  const contentOf = async (file: string): Promise<Buffer | null> => {
    const content = contents.get(file) ?? (await readFile(join(folder, file)).catch(() => null));
    if (content) contents.set(file, content);
    return content;
  };
  for (const [url, [file, type]] of Object.entries(files)) {
    app.get(url, { onSend: withPageETag, config: { produces: [type] } }, async (request, reply) => {
      const content = await contentOf(file);
      if (!content)
        return reply.code(503).type('text/plain').send('The dashboard is not bundled. Run: npm run build\n');
      const headers = { 'content-security-policy': policyFor(request.host), 'cache-control': 'no-cache' };
      return reply.headers(headers).type(type).send(content);
    });
  }
}
