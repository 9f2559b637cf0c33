import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const files = {
  '/live': ['index.html', 'text/html; charset=utf-8'],
  '/live/live.js': ['live.js', 'text/javascript; charset=utf-8'],
  '/live/live.css': ['live.css', 'text/css; charset=utf-8'],
} as const;
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws: wss:; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `/live`: the activity feed as a page. @param folder what `src/web/live/bundle.mjs` made */
export function serveLive(app: FastifyInstance, folder: string): void {
  for (const [url, [file, type]] of Object.entries(files)) {
    app.get(url, async (_request, reply) => {
      const content = await readFile(join(folder, file)).catch(() => null);
      if (!content)
        return reply.code(503).type('text/plain').send('The dashboard is not bundled. Run: npm run build\n');
      return reply.headers({ 'content-security-policy': POLICY, 'cache-control': 'no-cache' }).type(type).send(content);
    });
  }
}
