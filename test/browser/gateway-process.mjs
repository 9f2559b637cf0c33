import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_TIMEOUT_MS = 120_000;

/**
 * Starts a gateway of its own: a free port, an empty data folder, no setting of the caller's environment.
 * @param {string} entry the script to run
 * @param {Record<string, string>} settings beside its address and its folder
 * @returns its address without a path, the way to start it again with the same port and data, and the way to end it
 */
export async function startGateway(entry, settings = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'csp-graph-browser-'));
  let run = await runGateway(entry, { ...settings, DATA_DIR: dataDir, PORT: '0' });
  const { url } = run;
  return {
    url,
    async restart() {
      await run.stop();
      run = await runGateway(entry, { ...settings, DATA_DIR: dataDir, PORT: new URL(url).port });
    },
    async stop() {
      await run.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function runGateway(entry, settings) {
  const child = spawn(process.execPath, [entry], {
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const complaints = [];
  child.stderr.on('data', (chunk) => complaints.push(chunk));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  try {
    return { url: await readyUrl(child, ended), stop };
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${Buffer.concat(complaints)}`);
  }
}

async function readyUrl(child, ended) {
  const killTimer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  const url = new Promise((resolve) => {
    // The lines are read to the end, so that what else the gateway says does not fill the pipe.
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ready = /^ready (http:\/\/.*)\/graphql$/.exec(line);
      if (ready) resolve(ready[1]);
    });
  });
  const end = ended.then(([code, signal]) => {
    throw new Error(`the gateway ended (${signal ?? code}) before it said "ready"`);
  });
  return Promise.race([url, end]).finally(() => clearTimeout(killTimer));
}
