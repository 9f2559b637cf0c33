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
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>} its address without a path, and the way to end it
 */
export async function startGateway(entry) {
  const dataDir = await mkdtemp(join(tmpdir(), 'csp-graph-browser-'));
  const child = spawn(process.execPath, [entry], {
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const complaints = [];
  child.stderr.on('data', (chunk) => complaints.push(chunk));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    return { url: await readyUrl(child, ended), stop };
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${Buffer.concat(complaints)}`);
  }
}

async function readyUrl(child, ended) {
  const timeout = AbortSignal.timeout(START_TIMEOUT_MS);
  timeout.addEventListener('abort', () => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) {
    const ready = /^ready (http:\/\/.*)\/graphql$/.exec(line);
    if (!ready) continue;
    // What else the gateway says must not fill the pipe.
    child.stdout.resume();
    return ready[1];
  }
  const [code, signal] = await ended;
  throw new Error(`the gateway ended (${signal ?? code}) before it said "ready"`);
}
