import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const BINARY = 'nats-server';

/** Whether a nats-server can be started here. */
export const hasNats = spawnSync(BINARY, ['--version']).status === 0;

/** A NATS server with JetStream of a test's own, on a port and in a folder of its own. */
export interface TestNats {
  url: string;
  /** Again on the same port and folder; `empty`: without what it kept. */
  start(how?: 'empty'): Promise<void>;
  /** As a machine that is switched off. */
  kill(): Promise<void>;
  /** Kills it and deletes what it kept. */
  drop(): Promise<void>;
}

/** Starts a NATS server; the process is found at `.start()` again after `.kill()`. */
export async function startNats(credentials?: { user: string; pass: string }): Promise<TestNats> {
  const folder = mkdtempSync(join(tmpdir(), 'csp-graph-nats-'));
  const port = await freePort();
  const secrets = credentials ? ['--user', credentials.user, '--pass', credentials.pass] : [];
  let server: ChildProcess | null = null;
  const nats: TestNats = {
    url: `nats://${credentials ? `${credentials.user}:${encodeURIComponent(credentials.pass)}@` : ''}127.0.0.1:${port}`,
    start: async (how) => {
      if (how === 'empty') rmSync(folder, { recursive: true, force: true });
      const started = spawn(BINARY, ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder, ...secrets], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      server = started;
      const said: string[] = [];
      for await (const line of createInterface({ input: started.stderr })) {
        said.push(line);
        if (line.includes('Server is ready')) break;
      }
      if (started.exitCode !== null) throw new Error(`nats-server has ended:\n${said.join('\n')}`);
      started.stderr.resume();
    },
    kill: async () => {
      if (!server || server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    },
    drop: async () => {
      await nats.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await nats.start();
  return nats;
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
