import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { demoIdentity } from '../../src/auth/demo-identities.js';
import { signDemoToken } from '../../src/auth/tokens.js';
import { followFeed } from '../../src/client/index.js';
import { DEMO_PARTNER_TENANT_ID } from '../../src/config/auth-config.js';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { insertEntries } from '../support/entries.js';
import { followers } from '../support/followers.js';

const KILLS = Number(process.env['KILLS'] ?? 100);
/** Each start takes a second or two, more where the machine is busy. */
const PATIENCE_MS = 1_800_000;
const SECRET = 'a secret of the tests, long enough for them';
/** As `insertEntries`, with labels that go on counting. */
const INSERT = insertEntries.replace('n::text', '($2::int + n)::text').replace('?', '$1');

const onServer = serverUrl ? test : test.skip;
if (!serverUrl) console.warn('Killing the gateway under its clients needs a server: set TEST_DATABASE_URL.');

/** A gateway in a process of its own, that the test can kill. */
async function startProcess(database: TestDatabase, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../dist/src/main.js')], {
    env: {
      DATABASE_URL: (database.config as { url: string }).url,
      DATA_DIR: mkdtempSync(join(tmpdir(), 'csp-graph-kills-')),
      PORT: String(port),
      SIGNING_SECRET: SECRET,
      PRODUCT_KEY_SECRETS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      FEED_POLL_MS: '20',
      DEMO_DATA: 'false',
      // A hundred starts compile the same code.
      NODE_COMPILE_CACHE: join(tmpdir(), 'csp-graph-compile-cache'),
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (text) => {
      if (String(text).includes('ready')) resolve();
    });
    child.once('exit', () => reject(new Error(`the gateway did not start: ${said}`)));
  });
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('clients of a gateway that is killed', () => {
  let child: ChildProcess | undefined;
  let database: TestDatabase | undefined;
  afterAll(async () => {
    child?.kill('SIGKILL');
    await database?.drop();
  });

  onServer(
    `each hears every entry once and in order, though the process is killed ${KILLS} times`,
    async () => {
      database = await testDatabase();
      const port = await freePort();
      child = await startProcess(database, port);
      const writer = new pg.Client((database.config as { url: string }).url);
      await writer.connect();
      let written = 0;
      const write = async (count: number) => {
        await writer.query(INSERT, [count, written]);
        written += count;
      };

      const token = await signDemoToken(
        demoIdentity('GLOBAL_ADMIN', DEMO_PARTNER_TENANT_ID),
        '8h',
        new TextEncoder().encode(SECRET),
      );
      const ending = new AbortController();
      const { signal } = ending;
      let broken: unknown;
      let isDue: () => void = () => undefined;
      const all = Object.entries(followers).map(([name, create]) => {
        const { subscribe, dispose } = create(`http://127.0.0.1:${port}`, token);
        const heard: string[] = [];
        const follower = { name, heard, isThere: false, done: Promise.resolve() };
        follower.done = (async () => {
          for await (const message of followFeed(subscribe, { signal, retryWait: () => 20 })) {
            follower.isThere = true;
            if (message.entry) heard.push(message.entry.resource.label);
            isDue();
          }
        })()
          .catch((error) => {
            broken = { name, error };
            isDue();
          })
          .finally(dispose);
        return follower;
      });
      /** Waits for what the followers are to have heard. */
      const heardBy = (isSo: (follower: (typeof all)[number]) => boolean) =>
        new Promise<void>((resolve, reject) => {
          isDue = () => {
            if (broken) reject(broken);
            else if (all.every(isSo)) resolve();
          };
          isDue();
        });

      // They begin "now": who reconnects and begins "now" once more has lost what was written meanwhile.
      await heardBy(({ isThere }) => isThere);
      let kills = 0;
      while (kills < KILLS) {
        await write(2);
        const first = String(written - 1);
        await heardBy(({ heard }) => heard.includes(first));
        // Killed while it tells, and while more is written.
        const more = write(3);
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        kills += 1;
        await Promise.all([more, exited]);
        await write(2);
        child = await startProcess(database, port);
      }
      await write(1);
      await heardBy(({ heard }) => heard.includes(String(written)));
      ending.abort();
      await Promise.all(all.map(({ done }) => done));

      const { rows } = await writer.query(
        'select resource_label from activity_entries order by activity_entries.xid, seq',
      );
      await writer.end();
      const expected = rows.map((row) => row['resource_label'] as string);
      expect([kills, expected.length]).toEqual([KILLS, KILLS * 7 + 1]);
      for (const { name, heard } of all) expect([name, heard]).toEqual([name, expected]);
    },
    PATIENCE_MS,
  );
});
