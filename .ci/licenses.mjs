/**
 * Holds the licences of everything that is shipped against those that may be, and writes them into docs/licenses.md:
 * `npm run licenses`, and with `--check` only says whether that list is current. What is shipped is what production
 * installs, and what the pages are bundled from. Read out of package-lock.json: nothing is asked of the network.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import satisfies from 'spdx-satisfies';

/** Licences that ask for little more than their text: the product may be handed on under its own (MIT). */
const ALLOWED = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Unlicense',
];
const LIST = 'docs/licenses.md';
const USAGE = `Writes docs/licenses.md, the licences of everything that is shipped, and refuses those that are not allowed.

  npm run licenses [-- --check]

  --check  only says whether the list is current
`;

const { values: asked } = parseArgs({ options: { check: { type: 'boolean' }, help: { type: 'boolean' } } });
if (asked.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const production = Object.keys(packages).filter((path) => path !== '' && !packages[path].dev);
const pages = [...reachable(importsOfPages())].filter((path) => !production.includes(path));

const refused = [...production, ...pages].filter((path) => !isAllowed(packages[path].license));
for (const path of refused)
  console.error(
    `${nameOf(path)} ${packages[path].version}: ${packages[path].license ?? 'no licence is said'}. Use something else; where its licence asks for little more than its text, add it to ALLOWED in .ci/licenses.mjs.`,
  );
const list = `# Licences

What csp-graph is shipped with, by package. Written by \`npm run licenses\`, which refuses licences that are not allowed.

## What the gateway runs on

${table(production)}

## What its pages are bundled from besides

${table(pages)}
`;
if (!asked.check) writeFileSync(LIST, list);
else if (!existsSync(LIST) || readFileSync(LIST, 'utf8') !== list) {
  console.error(`${LIST} is not what package-lock.json says. Run: npm run licenses`);
  process.exitCode = 1;
}
if (refused.length > 0) process.exitCode = 1;

function isAllowed(license) {
  try {
    return satisfies(license, ALLOWED);
  } catch {
    // None at all, or no expression of SPDX.
    return false;
  }
}

function table(paths) {
  const rows = new Set(paths.map((path) => `| ${nameOf(path)} | ${packages[path].license} |`));
  return ['| package | licence |', '| --- | --- |', ...[...rows].sort()].join('\n');
}

/** Packages that the pages import. */
function importsOfPages() {
  const files = readdirSync('src/web', { recursive: true }).filter((file) => /client\/.*\.tsx?$/.test(file));
  const imports = files.flatMap((file) => [
    ...readFileSync(join('src/web', file), 'utf8').matchAll(/from '((?:@[^/']+\/)?[^./'][^/']*)/g),
  ]);
  return new Set(imports.map(([, name]) => name));
}

/** Where these packages lie, and all that they need. */
function reachable(names) {
  const found = new Set();
  const visit = (name, from) => {
    const path = resolve(name, from);
    // A peer or an option that is not installed.
    if (path === undefined || found.has(path)) return;
    found.add(path);
    const { dependencies, optionalDependencies, peerDependencies } = packages[path];
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
      visit(needed, path);
  };
  for (const name of names) visit(name, '');
  return found;
}

/** As Node looks for it: beside, and then upwards. */
function resolve(name, from) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[path]) return path;
    if (folder === '') return undefined;
  }
}
