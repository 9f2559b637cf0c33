import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { Role } from '../../src/auth/role.js';
import {
  CancelOrderDocument,
  CreateDownloadLinkDocument,
  OrderDocument,
  PurchaseDocument,
  RevealProductKeyDocument,
} from '../generated/graphql.js';
import { type CommitProxy, type Moment, startCommitProxy } from '../support/commit-proxy.js';
import { serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import type { TestGateway } from '../support/gateway.js';
import {
  type GatewayProcess,
  killAllProcesses,
  post,
  processToken,
  startProcess,
  WITH_PROVIDER,
} from '../support/history/gateway-process.js';
import { startProvider, type TestProvider } from '../support/provider.js';
import { aCustomer, skus, stockShop } from '../support/shop.js';
import { until } from '../support/until.js';

/** A line between gateway and database, which the embedded engine has not: it is killed in `fulfilling/killed.test.ts`. */
const onServer = serverUrl ? test : test.skip;
/** Where set to `all`, each commit is met before and after it; else one of both, by chance. */
const ALL = process.env['CRASHES'] === 'all';

describe('a gateway that is killed at each commit of the story', () => {
  let database: TestDatabase;
  let folder: string;
  let proxy: CommitProxy;
  let provider: TestProvider;
  let client: pg.Client;
  let gateway: GatewayProcess;
  let token: string;
  beforeAll(async () => {
    if (!serverUrl) return;
    database = await testDatabase();
    folder = mkdtempSync(join(tmpdir(), 'csp-graph-crash-'));
    const url = new URL((database.config as { url: string }).url);
    proxy = await startCommitProxy(Number(url.port || 5432));
    provider = await startProvider();
    token = await processToken(Role.ADMIN_AGENT);
    client = new pg.Client(url.href);
    await client.connect();
    gateway = await start();
    await stockShop(shop);
  });
  afterAll(async () => {
    if (!serverUrl) return;
    await killAllProcesses();
    await client.end();
    await proxy.close();
    await provider.close();
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  const start = () => {
    const url = new URL((database.config as { url: string }).url);
    url.host = `127.0.0.1:${proxy.port}`;
    // It looks for jobs when some are enqueued, and at its start: what it does is the story alone.
    const settings = { PROVIDER_URL: provider.url, JOB_TIME_LIMIT_MS: '1000', JOB_POLL_MS: '500' };
    return startProcess(url.href, folder, settings, WITH_PROVIDER);
  };
  const sql = async (statement: string, parameters: unknown[] = []) => {
    let place = 0;
    return (
      await client.query(
        statement.replace(/\?/g, () => `$${++place}`),
        parameters,
      )
    ).rows;
  };
  const shop = { sql } as unknown as TestGateway;

  /** Asks until there is an answer, of whichever process: as a client does, who sends the same again. */
  const ask = async (document: string, variables: object) => {
    for (;;) {
      const now = gateway;
      const answer = await post(now.url, token, document, variables).catch(() => null);
      if (answer?.data && !answer.errors) return answer.data;
      await until('a gateway is there', () => gateway !== now || gateway.exit() === undefined);
    }
  };

  const story = async () => {
    const customer = await aCustomer(shop);
    const lines = [
      { ...skus.perpetual, quantity: 2 },
      { ...skus.subscription, quantity: 1 },
    ];
    const purchase = { idempotencyKey: randomUUID(), customerId: customer.id, lines };
    const { order } = (await ask(String(PurchaseDocument), { input: purchase })).purchase;
    const look = async () => (await ask(String(OrderDocument), { id: order.id })).order;
    await until('it is confirmed', async () => (await look()).status === 'COMPLETED');
    const entitlementId = (await look()).lines[0].entitlement.id;
    const [software] = await sql(
      `select version, languages[1] as language, architectures[1] as architecture from software_versions
       join entitlements using (sku_id) where entitlements.id = ? order by position limit 1`,
      [entitlementId.slice(4)],
    );
    const reveal = { input: { entitlementId, version: software?.version } };
    const key = (await ask(String(RevealProductKeyDocument), reveal)).revealProductKey.productKey;
    expect((await ask(String(RevealProductKeyDocument), reveal)).revealProductKey.productKey).toBe(key);
    const { createDownloadLink } = await ask(String(CreateDownloadLinkDocument), {
      input: { entitlementId, ...software },
    });
    await until('it is downloaded', async () => {
      const { pathname } = new URL(createDownloadLink.downloadLink.url);
      const answer = await fetch(`${gateway.url}${pathname}`).catch(() => null);
      return answer?.status === 200;
    });
    const cancel = { idempotencyKey: randomUUID(), orderId: order.id, acknowledged: true, lineNumbers: [0] };
    const { cancellation } = (await ask(String(CancelOrderDocument), { input: cancel })).cancelOrder;
    await until('it is cancelled', async () => (await look()).lines[0].status === 'CANCELLED');
    return { customer, order, cancellation };
  };

  /** What there must be after a story, however often its gateway was killed. */
  const agrees = async ({ customer, order, cancellation }: Awaited<ReturnType<typeof story>>) => {
    const counts = await sql(
      'select action, count(*)::int as n from activity_entries where customer_id = ? group by 1',
      [customer.rowId],
    );
    const entries = Object.fromEntries(counts.map(({ action, n }) => [action, n]));
    // Whoever was not answered asks for key, link and image again, and each time is an entry.
    const { PRODUCT_KEY_REVEALED: revealed, DOWNLOAD_LINK_CREATED: linked, ...once } = entries;
    expect(once).toEqual({
      ORDER_PLACED: 1,
      ORDER_CONFIRMED: 1,
      SOFTWARE_DOWNLOADED: 1,
      CANCELLATION_REQUESTED: 1,
      CANCELLATION_CONFIRMED: 1,
    });
    expect([revealed, linked].every((n) => n >= 1 && n <= 3)).toBe(true);
    const amounts = await sql(
      'select amount::text from invoice_lines join invoices on invoices.id = invoice_id where customer_id = ? order by amount',
      [customer.rowId],
    );
    expect(amounts.map(({ amount }) => amount)).toEqual(['-27496.00', '16302.00', '27496.00']);
    const sold = `select coalesce(sum(gross - credited), 0)::text as sum from
      (select gross, credited from sales_deltas where customer_id = ?
       union all select gross, credited from sales_by_customer where span = 'YEAR' and customer_id = ?) as sales`;
    expect(await sql(sold, [customer.rowId, customer.rowId])).toEqual([{ sum: '16302.00' }]);
    expect(await sql('select from orders where customer_id = ?', [customer.rowId])).toHaveLength(1);
    expect(await sql('select from jobs where order_id = ?', [order.id.slice(4)])).toHaveLength(0);
    for (const { id } of [order, cancellation])
      expect(provider.done.filter((done) => done === id.slice(4))).toHaveLength(1);
  };

  onServer('nothing is lost and nothing doubled, wherever it was killed', async () => {
    const met: string[] = [];
    for (let nth = 1; ; nth += 1) {
      const moments: Moment[] = ALL ? ['BEFORE', 'AFTER'] : [Math.random() < 0.5 ? 'BEFORE' : 'AFTER'];
      let isMet = false;
      for (const moment of moments) {
        let restarted: Promise<void> = Promise.resolve();
        let isKilled = false;
        proxy.at(nth, moment, () => {
          isKilled = true;
          const killed = gateway;
          killed.kill('SIGKILL');
          restarted = killed.exited.then(async () => {
            gateway = await start();
          });
        });
        const done = await story();
        await restarted;
        isMet ||= isKilled;
        if (isKilled) met.push(`${moment} ${nth}`);
        await agrees(done);
      }
      if (!isMet) break;
    }
    console.info(`Killed at ${met.length} commits: ${met.join(', ')}.`);
    // Purchase and cancellation, each asked for and settled, a key and a link.
    expect(met.length).toBeGreaterThanOrEqual(6);
  });
});
