import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Kysely } from 'kysely';
import { migrate, type Orm, openOrm } from '../../src/database/orm.js';
import { SignIn } from '../../src/partner-center/rest/sign-in.js';
import { entities } from '../../src/schema/entities.js';
import { engine, serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { cancelInPortal, orderInPortal } from '../support/partner-center/portal.js';
import { type Simulator, startSimulator } from '../support/partner-center/simulator.js';
import { CLIENT_ID, CLIENT_SECRET, newRefreshToken } from '../support/partner-center/tokens.js';
import { until } from '../support/until.js';

const CUSTOMERS = 40;
const perpetual = { productId: 'DG7GMGF0FKZV', skuId: '0001' };
const testOnServer = serverUrl ? test : test.skip;
if (!serverUrl) console.warn('A command beside its test needs a server: set TEST_DATABASE_URL.');

/** A command of its own process, beside a simulator. The embedded database has one process, which would be the test. */
describe(`npm run sync, on ${engine}`, () => {
  let database: TestDatabase;
  let orm: Orm;
  let simulator: Simulator;
  beforeAll(async () => {
    database = await testDatabase();
    orm = await openOrm(database.config, { entities, pglite: database.pglite });
    await migrate(orm);
    simulator = await startSimulator({ customers: CUSTOMERS, callsPerMinute: 0, listLagMs: 0, retryAfterSeconds: 0 });
  });
  afterAll(async () => {
    await simulator.close();
    await orm.close(true);
    await database.drop();
  });

  const start = (args: string[] = []) => {
    const env = {
      PATH: process.env['PATH'],
      DATABASE_URL: database.config.kind === 'server' ? database.config.url : '',
      PARTNER_CENTER_URL: simulator.url,
      PARTNER_CENTER_TENANT_ID: simulator.world.partnerId,
      PARTNER_CENTER_CLIENT_ID: CLIENT_ID,
      PARTNER_CENTER_CLIENT_SECRET: CLIENT_SECRET,
      PARTNER_CENTER_CALLS_PER_MINUTE: '10000',
      PRODUCT_KEY_SECRETS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      SIGNING_SECRET: 'a secret of the tests, long enough for them',
    };
    let ended: (result: { code: number | null; out: string; err: string }) => void;
    const end = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
      ended = resolve;
    });
    const child = execFile(process.execPath, ['dist/src/cli/sync.js', ...args], { env }, (_error, out, err) =>
      ended({ code: child.exitCode, out, err }),
    );
    return { child, end };
  };
  const run = (args: string[] = []) => start(args).end;
  const count = async (table: string) => {
    const [row] = await orm.em.fork().execute<{ count: number }[]>(`select count(*)::int as count from ${table}`);
    return row?.count;
  };
  const tenantOf = (place: number) => simulator.world.state.customers[place]?.id as string;

  testOnServer(
    'says what would change, reads all, goes on where it was interrupted, and changes nothing again',
    async () => {
      for (let place = 0; place < CUSTOMERS; place += 1)
        orderInPortal(simulator.world, tenantOf(place), [{ ...perpetual, quantity: 1 + place }], 'a@partner.example');
      const dry = await run(['--dry-run']);
      expect(dry.err).toMatch(/^entitlements: Nobody has signed in to Partner Center: npm run partner-center:sign-in/);
      expect(dry).toMatchObject({
        code: 1,
        out: expect.stringMatching(/40 customers, 40 orders with 40 lines.*\n(.*\n)*Dry run/),
      });
      expect([await count('customers'), await count('orders'), await count('upstream_records')]).toEqual([0, 0, 0]);

      const secrets = [{ keyId: 'test', secret: new Uint8Array(32).fill(7) }];
      const kysely = orm.em.fork().getKysely() as unknown as Kysely<unknown>;
      await new SignIn(kysely, secrets).store(newRefreshToken(simulator.world));
      const readsOf = () => simulator.calls.filter((call) => call.endsWith('/subscriptions')).length;
      const before = readsOf();
      const interrupted = start();
      await until('some are read', () => readsOf() > before + 10);
      interrupted.child.kill('SIGINT');
      const { code, err } = await interrupted.end;
      expect([code, err.trim()]).toEqual([1, 'Interrupted. The same command goes on from here.']);
      const read = readsOf() - before;
      const done = (await count('upstream_customers where read_at is not null and problem is null')) as number;

      const whole = await run();
      expect([whole.code, whole.err]).toEqual([0, '']);
      expect(whole.out).toMatch(new RegExp(`^${CUSTOMERS - done} customers read`));
      expect(read).toBeLessThan(CUSTOMERS);
      expect([await count('customers'), await count('orders'), await count('entitlements')]).toEqual([40, 40, 40]);
      expect(await count(`activity_entries where action = 'UPSTREAM_ORDER_PLACED'`)).toBe(40);

      const again = await run();
      expect(again.out).toMatch(
        /^40 customers read .*0 records told\nnew: 0 customers, 0 orders with 0 lines; 0 lines cancelled, 0 gone/,
      );
      const placed = simulator.world.state.orders[3];
      if (placed) cancelInPortal(simulator.world, placed, 'a@partner.example');
      // It is told of, and the order is looked at, before customers are read.
      expect((await run()).out).toMatch(/1 records told\n/);
      expect(await count(`orders where status = 'CANCELLED'`)).toBe(1);
    },
  );

  testOnServer('what cannot be asked is told in words, and exits with 1', async () => {
    simulator.world.faults.switchOn('tokenEndpointDown');
    const { code, err } = await run();
    simulator.world.faults.switchOff();
    expect(code).toBe(1);
    expect(err).toMatch(/goes on from here/);
    expect(err).not.toMatch(/\n +at /);
  });
});
