/** Bundles `/live` and `/signed-in` into `dist/live/`: each a page, a script, a style sheet, all from one origin. */
import { cp, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const outdir = path('../../../dist/live');

await mkdir(outdir, { recursive: true });
await build({
  entryPoints: ['live/client/live', 'sign-in/client/signed-in'].flatMap((file) =>
    ['.ts', '.css'].map((ending) => ({ in: path(`../${file}${ending}`), out: file.split('/').at(-1) })),
  ),
  outdir,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['chrome123', 'firefox121', 'safari17.5'],
  legalComments: 'none',
  logLevel: 'warning',
});
await cp(path('client/index.html'), `${outdir}/index.html`);
await cp(path('../sign-in/client/index.html'), `${outdir}/signed-in.html`);
