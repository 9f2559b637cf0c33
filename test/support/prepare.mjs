/**
 * Makes what the suites need and is not there, or is of other sources than today's: compiled code, typed documents, and
 * the dump of an embedded database, or the template of that name on a server. Run by global-setup.mjs:
 * `node test/support/prepare.mjs [template | drop template]`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/csp-graph');
const path = (file) => join(root, file);
const npm = (script) => execFileSync('npm', ['run', '--silent', script], { cwd: root, stdio: ['ignore', 2, 2] });

/** Hash of files, and of all files in folders. */
function hashOf(names) {
  const hash = createHash('sha256');
  const add = (name) => {
    if (statSync(path(name)).isFile()) hash.update(`${name}\0`).update(readFileSync(path(name)));
    else for (const entry of readdirSync(path(name)).sort()) add(`${name}/${entry}`);
  };
  for (const name of names) add(name);
  return hash.digest('hex');
}

/** Runs a script whose output, marked by `stamp`, is not of these sources; `touched` is what it writes at other times. */
function makeOf(sources, stamp, touched, script) {
  const hash = hashOf([...sources, 'package-lock.json']);
  const isCurrent =
    existsSync(path(stamp)) &&
    existsSync(path(touched)) &&
    readFileSync(path(stamp), 'utf8') === hash &&
    statSync(path(stamp)).mtimeMs >= statSync(path(touched)).mtimeMs;
  if (isCurrent) return;
  npm(script);
  writeFileSync(path(stamp), hash);
}

/** The embedded database as a dump: once for each state of what it is made of. */
async function dump() {
  const { buildSync } = await import('esbuild');
  const [bundle] = buildSync({
    entryPoints: [path('test/support/template.mjs')],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
  }).outputFiles;
  const made = createHash('sha256')
    .update(bundle.contents)
    .update(readFileSync(path('package-lock.json')));
  const name = `${made.digest('hex').slice(0, 16)}.tar`;
  const file = join(cache, name);
  if (!existsSync(file)) {
    mkdirSync(cache, { recursive: true });
    const { makeDump } = await import('./template.mjs');
    await makeDump(file);
    for (const older of readdirSync(cache)) if (older !== name) rmSync(join(cache, older));
  }
  return file;
}

const { TEST_DATABASE_URL: serverUrl } = process.env;
const [what, name] = process.argv.slice(2);
if (what === 'drop') {
  const { dropTemplate } = await import('./template.mjs');
  await dropTemplate(serverUrl, name);
} else {
  npm('build');
  makeOf(['schema', 'codegen.yml'], 'test/generated/.made-of', 'test/generated/graphql.ts', 'codegen');
  if (serverUrl) {
    const { makeTemplate } = await import('./template.mjs');
    await makeTemplate(serverUrl, what);
  } else console.log(await dump());
}
