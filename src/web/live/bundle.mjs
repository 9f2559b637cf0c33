/** Bundles the dashboard at `/live` into `dist/live/`: a page, a script, a style sheet, all from one origin. */
import { cp, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const outdir = path('../../../dist/live');

await mkdir(outdir, { recursive: true });
await build({
  entryPoints: [path('client/live.ts'), path('client/live.css')],
  outdir,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome123', 'firefox121', 'safari17.5'],
  legalComments: 'none',
  logLevel: 'warning',
});
await cp(path('client/index.html'), `${outdir}/index.html`);
