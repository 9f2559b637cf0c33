import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Client, createClient } from 'graphql-ws';
import pg from 'pg';
import WebSocket from 'ws';
import { Role } from '../../src/auth/role.js';
import { RestoreAccessDocument, RevealProductKeyDocument, RevokeAccessDocument } from '../generated/graphql.js';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { shared } from '../support/feed.js';
import { startTestGateway } from '../support/gateway.js';
import {
  type GatewayProcess,
  killAllProcesses,
  post,
  processSecrets,
  processToken,
  startProcess,
} from '../support/history/gateway-process.js';
import { afterRevocation, type Logged, type Observed, type Revoked } from '../support/revocation-history.js';
import { aCustomer, stockShop } from '../support/shop.js';
import { buySoftware, type TestSoftware } from '../support/software.js';
import { until } from '../support/until.js';

/** How often each user is revoked and given access back. */
const ROUNDS = Number(process.env['REVOCATION_ROUNDS'] ?? 3);
/** What a transaction elsewhere is held open for, over and over: nothing that is committed meanwhile reaches the feeds. */
const LONG_MS = 800;
const onServer = serverUrl ? test : test.skip;
if (!serverUrl) console.warn('Revocation across processes needs a server: set TEST_DATABASE_URL.');

const READ = '{ orders(first: 1) { nodes { number } } activity(first: 1) { nodes { id } } }';
const FEED = 'subscription { activity { __typename ... on ActivityRecorded { entry { id } } } }';

test('the checker finds what is read, done or heard after a revocation', () => {
  const revocations: Revoked[] = [{ user: 'a', answeredAt: 10, restoreAskedAt: 20 }];
  const log: Logged[] = [
    { id: '1', actor: 'root', action: 'ACCESS_REVOKED', label: 'a' },
    { id: '2', actor: 'a', action: 'PRODUCT_KEY_REVEALED', label: '' },
    { id: '3', actor: 'root', action: 'ACCESS_RESTORED', label: 'a' },
    { id: '4', actor: 'a', action: 'PRODUCT_KEY_REVEALED', label: '' },
  ];
  const observed: Observed[] = [
    { user: 'a', what: 'read', begunAt: 9, isServed: true },
    { user: 'a', what: 'read', begunAt: 15, isServed: true },
    { user: 'a', what: 'done', begunAt: 16, isServed: false },
    { user: 'a', what: 'read', begunAt: 21, isServed: true },
    { user: 'a', what: 'heard', begunAt: 5, isServed: true, entryId: '2' },
    { user: 'a', what: 'heard', begunAt: 25, isServed: true, entryId: '4' },
  ];
  expect(afterRevocation(observed, revocations, log)).toEqual([
    'a: read, begun 5.0 ms after revokeAccess had answered',
    'a: PRODUCT_KEY_REVEALED in the log after ACCESS_REVOKED',
    'a: heard an entry that was committed after ACCESS_REVOKED',
  ]);
});

describe('revocation on two processes under load, with a long transaction open', () => {
  const clients: Client[] = [];
  const stop = new AbortController();
  let database: TestDatabase;
  let folder: string;
  let gateways: GatewayProcess[];
  let software: TestSoftware;
  let holder: pg.Client;
  beforeAll(async () => {
    if (!serverUrl) return;
    database = await testDatabase();
    const setUp = await startTestGateway({ database: shared(database), config: processSecrets });
    await stockShop(setUp);
    software = await buySoftware(setUp, await aCustomer(setUp));
    await setUp.stop();
    folder = mkdtempSync(join(tmpdir(), 'csp-graph-revocation-'));
    const { url } = database.config as { url: string };
    gateways = await Promise.all([startProcess(url, folder), startProcess(url, folder)]);
    holder = new pg.Client(url);
    await holder.connect();
  });
  afterAll(async () => {
    if (!serverUrl) return;
    stop.abort();
    for (const client of clients) await client.dispose();
    await holder.end();
    await killAllProcesses();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  /** Holds a transaction open for a while, again and again. */
  async function holdFeedsBack(): Promise<void> {
    while (!stop.signal.aborted) {
      await holder.query('begin');
      await holder.query('select pg_current_xact_id()');
      await setTimeout(LONG_MS);
      await holder.query('commit');
    }
  }

  onServer(
    'nothing is read, done or heard by a user after revokeAccess has answered',
    async () => {
      const observed: Observed[] = [];
      const revocations: Revoked[] = [];
      const root = await processToken();
      const people = [Role.ADMIN_AGENT, Role.ACCOUNT_ADMIN, Role.ADMIN_AGENT, Role.ACCOUNT_ADMIN].map((role, at) => ({
        role,
        user: `agent.${at}@partner.example`,
        served: 0,
      }));
      const { entitlementId, choice } = software;
      const input = { entitlementId, version: choice.version };
      const holding = holdFeedsBack();

      const busy = people.flatMap((person) =>
        gateways.map(async ({ url }, at) => {
          const token = await processToken(person.role, person.user);
          for (let turn = at; !stop.signal.aborted; turn += 1) {
            const isDeed = person.role === Role.ADMIN_AGENT && turn % 2 === 0;
            const begunAt = performance.now();
            const { data } = await post(
              url,
              token,
              isDeed ? RevealProductKeyDocument.toString() : READ,
              isDeed ? { input } : {},
            );
            const isServed = data !== undefined && Object.values(data).some((answer) => answer !== null);
            if (isServed) person.served += 1;
            observed.push({ user: person.user, what: isDeed ? 'done' : 'read', begunAt, isServed });
            if (!isServed) await setTimeout(5);
          }
        }),
      );
      const listening = people
        .filter(({ role }) => role === Role.ACCOUNT_ADMIN)
        .flatMap(({ user, role }) =>
          gateways.map(async ({ url }) => {
            const authorization = `Bearer ${await processToken(role, user)}`;
            while (!stop.signal.aborted) {
              const begunAt = performance.now();
              const client = createClient({
                url: `${url.replace('http', 'ws')}/graphql`,
                webSocketImpl: WebSocket,
                connectionParams: { authorization },
                retryAttempts: 0,
              });
              clients.push(client);
              try {
                for await (const { data } of client.iterate<{ activity: { entry?: { id: string } } }>({
                  query: FEED,
                })) {
                  const entryId = data?.activity.entry?.id;
                  if (entryId) observed.push({ user, what: 'heard', begunAt, isServed: true, entryId });
                }
              } catch {
                // Closed with 4401 while they are revoked: they try again.
                await setTimeout(20);
              }
            }
          }),
        );

      for (let round = 0; round < ROUNDS; round += 1) {
        await Promise.all(
          people.map(async (person, at) => {
            const { url } = gateways[(round + at) % 2] as GatewayProcess;
            const { user } = person;
            const before = person.served;
            const listened = observed.length;
            await until(`${user} is served`, () => person.served >= before + 4);
            if (person.role === Role.ACCOUNT_ADMIN)
              await until(`${user} hears entries`, () =>
                observed.slice(listened).some((one) => one.what === 'heard' && one.user === user),
              );
            const variables = { input: { userPrincipalName: user } };
            const { data } = await post(url, root, RevokeAccessDocument.toString(), variables);
            const answeredAt = performance.now();
            expect(data?.revokeAccess.__typename).toBe('RevokeAccessSuccess');
            const tried = observed.length;
            await until(
              `${user} is refused on both`,
              () => observed.slice(tried).filter((one) => one.user === user && one.what !== 'heard').length >= 8,
            );
            const restoreAskedAt = performance.now();
            await post(url, root, RestoreAccessDocument.toString(), variables);
            revocations.push({ user, answeredAt, restoreAskedAt });
          }),
        );
      }
      stop.abort();
      for (const client of clients) await client.dispose();
      await Promise.all([...busy, ...listening, holding]);

      const { rows } = await holder.query<Logged>(
        `select 'act_' || id as id, actor, action, resource_label as label from activity_entries order by xid, seq`,
      );
      const count = (what: Observed['what'], isServed: boolean) =>
        observed.filter((one) => one.what === what && one.isServed === isServed).length;
      process.stdout.write(
        `revocation: ${revocations.length} revocations; served ${count('read', true)} reads, ${count('done', true)} deeds, ${count('heard', true)} entries; refused ${count('read', false)} and ${count('done', false)}\n`,
      );
      expect(afterRevocation(observed, revocations, rows)).toEqual([]);
      expect(count('done', true)).toBeGreaterThan(ROUNDS);
      expect(count('heard', true)).toBeGreaterThan(0);
    },
    300_000,
  );
});
