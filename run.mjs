/**
 * Brings `dist/` up to date, telling on standard error what it is doing, and then runs a file of it with the settings of
 * `.env`: `node run.mjs dist/src/cli/token.js --role ADMIN_AGENT`. Without a file it builds and that is all. The npm
 * scripts are made of it, in the image too: there are no sources there, and nothing is built.
 */
import { spawn } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const path = (name) => join(root, name);

const code = {
  name: 'code',
  what: 'compiling TypeScript',
  script: 'node_modules/typescript/bin/tsc',
  output: 'dist/src/main.js',
  sources: ['src', 'migrations', 'tsconfig.json'],
};
const pages = [
  {
    name: 'playground',
    what: 'bundling the playground',
    script: 'src/web/playground/bundle.mjs',
    output: 'dist/playground/index.html',
    sources: ['src/web/playground', 'src/web/sign-in'],
  },
  {
    name: 'live',
    what: 'bundling the dashboard',
    script: 'src/web/live/bundle.mjs',
    output: 'dist/live/index.html',
    sources: ['src/web/live', 'src/web/sign-in'],
  },
];
const [, , file, ...args] = process.argv;
/** A command needs no pages, and is quiet where there is nothing to do: its output may be another program's input. */
const isCommand = file !== undefined && file !== code.output;
const steps = isCommand ? [code] : [code, ...pages];
/** A file per step, as old as the beginning of its last success: what was edited meanwhile is newer. */
const stampOf = (step) => path(`dist/.built/${step.name}`);

const parent = process.ppid;
process.exitCode = await build();
// npm does not hand a SIGTERM on (src/main.ts): where it ended meanwhile, nobody wants what it asked for.
const isUnwanted = process.env.npm_lifecycle_event !== undefined && process.ppid !== parent;
if (process.exitCode === 0 && file !== undefined && !isUnwanted) {
  // Node's own --env-file-if-exists says aloud that there is none. What the environment says goes before.
  if (existsSync(path('.env'))) process.loadEnvFile(path('.env'));
  process.argv = [process.execPath, path(file), ...args];
  await import(pathToFileURL(path(file)));
}

/** Answers the exit code. */
async function build() {
  const { node: wanted } = JSON.parse(readFileSync(path('package.json'), 'utf8')).engines;
  if (isOlder(process.versions.node, wanted.replace('>=', '')))
    return fail(`csp-graph needs Node ${wanted}; this is ${process.versions.node}. npm ci brings one along.`);
  if (!existsSync(path('src'))) return 0;
  if (!existsSync(path('node_modules/typescript'))) {
    // Only what production needs is installed: the code was compiled before, or never.
    return existsSync(path(code.output)) ? 0 : fail('The code is not compiled yet, nor is its compiler there: npm ci');
  }
  if (!steps.some(isStale)) {
    if (!isCommand) process.stderr.write('everything is built already\n');
    return 0;
  }
  return underLock(async () => {
    for (const step of steps.filter(isStale)) if (!(await run(step))) return 1;
    say(`built in ${seconds()} s\n`);
    return 0;
  });
}

function fail(why) {
  process.stderr.write(`${why}\n`);
  return 1;
}

function isOlder(version, least) {
  const [have, want] = [version, least].map((text) => text.split('.').map(Number));
  const differing = want.findIndex((number, index) => number !== have[index]);
  return differing !== -1 && have[differing] < want[differing];
}

function isStale(step) {
  if (!existsSync(path(step.output)) || !existsSync(stampOf(step))) return true;
  const { mtimeMs } = statSync(stampOf(step));
  return [...step.sources, 'node_modules/.package-lock.json'].some((name) => newest(path(name)) > mtimeMs);
}

/** When a file, or anything in a folder, was changed last. Folders count: their time tells what was taken out. */
function newest(entry) {
  const found = statSync(entry, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return found?.mtimeMs ?? 0;
  // An editor's passing files may be gone by now.
  const inside = readdirSync(entry, { recursive: true }).map((name) =>
    statSync(join(entry, name), { throwIfNoEntry: false }),
  );
  return Math.max(found.mtimeMs, ...inside.map((one) => one?.mtimeMs ?? 0));
}

/** Runs a step's script; its words are shown where it fails. Answers whether it went well. */
async function run(step) {
  const began = new Date();
  // The compiler's memory says what it wrote; where that was deleted it would not write it again.
  if (step === code && !existsSync(path(code.output))) rmSync(path('dist/.tsbuildinfo'), { force: true });
  const args = step === code && process.stderr.isTTY ? ['--pretty'] : [];
  const stop = tell(step.what);
  const child = spawn(process.execPath, [path(step.script), ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
  const result = await new Promise((resolve) => child.once('close', resolve));
  stop();
  if (result !== 0) {
    say(`${Buffer.concat(said)}\n${step.what} failed: what is wrong stands above.\n`);
    return false;
  }
  mkdirSync(path('dist/.built'), { recursive: true });
  await writeFile(stampOf(step), '');
  await utimes(stampOf(step), began, began);
  return true;
}

/** Two terminals, one folder: whoever comes second waits, and finds everything built. */
async function underLock(work) {
  const lock = path('dist/.building');
  const own = `${lock}.${process.pid}`;
  mkdirSync(path('dist'), { recursive: true });
  writeFileSync(own, String(process.pid));
  try {
    while (!take(own, lock)) {
      const holder = holderOf(lock);
      if (!isRunning(holder)) rmSync(lock, { force: true });
      else {
        const stop = tell(`waiting for process ${holder}, which builds`);
        while (holderOf(lock) === holder && isRunning(holder)) await sleep(100);
        stop();
      }
    }
  } finally {
    rmSync(own);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** A link is there at once and whole, or not at all. */
function take(own, lock) {
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

function holderOf(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return 0;
  }
}

function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function seconds() {
  return process.uptime().toFixed(1);
}

/** Writes over the line that a terminal shows. */
function say(text) {
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[2K${text}` : text);
}

/** Tells what goes on, and since when: a line that a terminal keeps current. Answers how to end it. */
function tell(what) {
  const show = () => say(`${seconds().padStart(5)} s  ${what} …${process.stderr.isTTY ? '' : '\n'}`);
  show();
  const timer = process.stderr.isTTY ? setInterval(show, 1_000) : undefined;
  return () => {
    clearInterval(timer);
    say('');
  };
}
