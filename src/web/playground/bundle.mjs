/** Bundles the playground into `dist/playground/`: `index.html` and `assets/` with hashed names, all from one origin. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const clientDir = join(root, 'src/web/playground/client');
const outDir = join(root, 'dist/playground');
const assetsUrl = '/playground/assets/';

const workers = {
  editor: 'monaco-editor/esm/vs/editor/editor.worker.js',
  graphql: 'monaco-graphql/esm/graphql.worker.js',
  json: 'monaco-editor/esm/vs/language/json/json.worker.js',
};

/** `graphiql/style.css` holds Monaco's styles already; the copies that Monaco's modules import are left out. */
const monacoStylesOnce = {
  name: 'monaco-styles-once',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]monaco-editor[\\/].*\.css$/ }, () => ({ contents: '', loader: 'empty' }));
  },
};

/** Takes the fonts out of GraphiQL's style sheet, so that a browser fetches only the alphabets that it shows. */
const fontsAsFiles = {
  name: 'fonts-as-files',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^data:font\// }, ({ path }) => {
      const [, kind, base64] = /^data:font\/(\w+);base64,(.*)$/.exec(path);
      const contents = Buffer.from(base64, 'base64');
      const digest = createHash('sha256').update(contents).digest('hex').slice(0, 8);
      return { namespace: 'font', path: `/${digest}/font.${kind}`, pluginData: contents };
    });
    onLoad({ filter: /.*/, namespace: 'font' }, ({ pluginData }) => ({ contents: pluginData, loader: 'file' }));
  },
};

const stagingDir = `${outDir}.${process.pid}`;
try {
  await bundleInto(stagingDir);
  await rm(outDir, { recursive: true, force: true });
  await rename(stagingDir, outDir);
} finally {
  await rm(stagingDir, { recursive: true, force: true });
}

async function bundleInto(dir) {
  const common = {
    absWorkingDir: root,
    bundle: true,
    minify: true,
    metafile: true,
    legalComments: 'linked',
    logLevel: 'warning',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    define: { 'process.env.NODE_ENV': '"production"' },
    outdir: join(dir, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: 'chunk-[hash]',
    assetNames: '[name]-[hash]',
    plugins: [monacoStylesOnce, fontsAsFiles],
  };
  const workerBuild = await build({ ...common, entryPoints: workers, format: 'iife' });
  const workerUrls = Object.fromEntries(
    Object.entries(workers).map(([label, source]) => [label, urlOf(workerBuild.metafile, source)]),
  );
  const page = await build({
    ...common,
    entryPoints: { playground: join(clientDir, 'main.tsx'), style: join(clientDir, 'playground.css') },
    format: 'esm',
    splitting: true,
    jsx: 'automatic',
    define: { ...common.define, PLAYGROUND_WORKERS: JSON.stringify(workerUrls) },
    // GraphiQL asks for Prettier's parsers by names of old, where a bundle finds modules without the named exports.
    alias: {
      'prettier/parser-babel': 'prettier/plugins/babel',
      'prettier/parser-graphql': 'prettier/plugins/graphql',
    },
  });
  const html = (await readFile(join(clientDir, 'index.html'), 'utf8'))
    .replace('{{style}}', urlOf(page.metafile, 'playground.css'))
    .replace('{{script}}', urlOf(page.metafile, 'main.tsx'));
  await mkdir(dir, { recursive: true });
  await compressText(join(dir, 'assets'));
  await writeFile(join(dir, 'index.html'), html);
}

function urlOf({ outputs }, source) {
  const [file] = Object.entries(outputs).find(([, output]) => output.entryPoint?.endsWith(source)) ?? [];
  if (!file) throw new Error(`esbuild made nothing of ${source}`);
  return assetsUrl + basename(file);
}

async function compressText(dir) {
  const files = (await readdir(dir)).filter((name) => ['.js', '.css', '.ttf'].includes(extname(name)));
  await Promise.all(
    files.map(async (name) =>
      writeFile(join(dir, `${name}.gz`), await promisify(gzip)(await readFile(join(dir, name)))),
    ),
  );
}
