import { createHash, randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { EXPORT_BATCH_SIZE } from '../../src/activity-log/export-entries.js';
import { engine, serverUrl } from '../support/database.js';
import { insertEntries } from '../support/entries.js';
import { type Caller, startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, buy, skus, stockShop } from '../support/shop.js';
import { adminOf } from '../support/software.js';
import { until } from '../support/until.js';

const FEED = `subscription ($after: String) {
  activity(after: $after) { __typename ... on ActivityRecorded { cursor entry { id } } ... on FeedCaughtUp { cursor } }
}`;
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
/** Bytes that are alive. */
const memory = () => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const linesOf = (text: string) => text.split('\n').slice(0, -1);

describe(`exports, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
  });
  afterAll(() => gateway.stop());

  const bearer = async (as: Caller) => `Bearer ${typeof as === 'string' ? await gateway.token(as) : as.token}`;
  const get = async (path: string, as: Caller = 'GLOBAL_ADMIN', headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/exports/${path}`, { headers: { authorization: await bearer(as), ...headers } });
  const manifestOf = async (path: string, as?: Caller) =>
    (await get(path, as)).json() as Promise<Record<string, never>>;
  /** Writes, and waits until the feed has read. */
  const write = async (count: number) => {
    await gateway.sql(insertEntries, [count]);
    const [{ seq }] = (await gateway.sql('select max(seq)::text as seq from activity_entries')) as [{ seq: string }];
    await until('the feed has read', () => gateway.gateway.services.feed.position.seq >= BigInt(seq));
  };

  test('a line is the whole entry, and carries its cursor', async () => {
    const customer = await aCustomer(gateway);
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    await write(0);
    const text = await (await get(`activity.jsonl?customerId=${customer.id}&actions=ORDER_PLACED`)).text();
    expect(linesOf(text).map((line) => JSON.parse(line))).toEqual([
      {
        cursor: expect.any(String),
        position: expect.stringMatching(/^\d+\.\d+$/),
        id: expect.stringMatching(/^act_/),
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        action: 'ORDER_PLACED',
        outcome: 'SUCCEEDED',
        actor: expect.any(String),
        actorRole: 'ADMIN_AGENT',
        actorIssuer: 'csp-graph-demo',
        actorTenantId: expect.any(String),
        actorObjectId: expect.any(String),
        application: 'csp-graph-demo',
        customerId: customer.id,
        orderId: order.id,
        productIds: ['DG7GMGF0FKZV'],
        resourceType: 'ORDER',
        resourceId: order.id,
        resourceLabel: order.number,
        correlationId: expect.any(String),
        customer: `Company ${customer.rowId.slice(0, 8)}`,
        detail: expect.objectContaining({ orderNumber: order.number, currency: 'USD' }),
      },
    ]);
  });

  test('the manifest is of exactly the bytes of the export that it is given until', async () => {
    await write(2_500);
    for (const format of ['csv', 'jsonl']) {
      const path = `activity.${format}?actions=PRODUCT_KEY_REVEALED&actor=anna@partner.example`;
      const answer = await get(path);
      const bytes = await answer.text();
      await write(3);
      const address = /^<\/exports\/(.+)>; rel="describedby"$/.exec(
        answer.headers.get('link') as string,
      )?.[1] as string;
      const manifest = await manifestOf(address);
      const rows =
        format === 'csv' ? parse(bytes, { columns: true, bom: true }) : linesOf(bytes).map((line) => JSON.parse(line));
      expect(rows.length).toBeGreaterThanOrEqual(2_500);
      expect(manifest).toMatchObject({
        format,
        filter: { actions: 'PRODUCT_KEY_REVEALED', actor: 'anna@partner.example' },
        count: rows.length,
        first: rows[0].cursor,
        last: rows.at(-1).cursor,
        sha256: sha256(format === 'csv' ? `\uFEFF${bytes}` : bytes),
        until: answer.headers.get('x-export-until'),
      });
      // And the other way about: first the manifest, then the file.
      const again = await get(`${path}&until=${manifest['last']}`);
      expect(sha256(new Uint8Array(await again.arrayBuffer()))).toBe(manifest['sha256']);
    }
  });

  test('an export goes on where another ended', async () => {
    const whole = linesOf(await (await get('activity.jsonl')).text());
    const { cursor } = JSON.parse(whole[1_200] as string);
    const head = await (await get(`activity.jsonl?until=${cursor}`)).text();
    const tail = await (await get(`activity.jsonl?after=${cursor}`)).text();
    expect(linesOf(head + tail).slice(0, whole.length)).toEqual(whole);
    expect(linesOf(head)).toHaveLength(1_201);
  });

  test('a subscription after the last cursor of a manifest continues exactly, while others write', async () => {
    // The embedded database answers without leaving the event loop's turn: others need theirs.
    const writer = (async () => {
      for (let round = 0; round < 40; round += 1) {
        await gateway.sql(insertEntries, [7]);
        await setTimeout(1);
      }
    })();
    const manifest = await manifestOf('activity.jsonl?manifest=1');
    const file = await (await get(`activity.jsonl?until=${manifest['last']}`)).text();
    const stream = await gateway.subscribe(FEED, { after: manifest['last'] });
    const heard: string[] = [];
    while (heard.length < 60) heard.push((await stream.nextOf('ActivityRecorded')).entry.id);
    await writer;
    await stream.end();
    const all = await gateway.sql<{ id: string }>('select id from activity_entries order by xid, seq');
    const exported = linesOf(file).map((line) => JSON.parse(line).id);
    expect(exported).toHaveLength(Number(manifest['count']));
    expect([...exported, ...heard]).toEqual(all.slice(0, exported.length + 60).map(({ id }) => `act_${id}`));
  });

  test('gzip is the same, and sent only to who takes it', async () => {
    await write(0);
    const { last } = (await manifestOf('activity.jsonl?manifest=1')) as unknown as { last: string };
    for (const format of ['csv', 'jsonl']) {
      const bytes = async (coding: string) => {
        const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
          bearer('GLOBAL_ADMIN').then((authorization) =>
            request(
              `${gateway.url}/exports/activity.${format}?until=${last}`,
              { headers: { authorization, 'accept-encoding': coding } },
              resolve,
            )
              .on('error', reject)
              .end(),
          );
        });
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(chunk as Buffer);
        return { coding: answer.headers['content-encoding'], body: Buffer.concat(chunks) };
      };
      const plain = await bytes('identity');
      const none = await bytes('br, gzip;q=0');
      const packed = await bytes('br, gzip;q=0.8');
      expect([plain.coding, none.coding, packed.coding]).toEqual([undefined, undefined, 'gzip']);
      expect(packed.body.length).toBeLessThan(plain.body.length / 2);
      expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
      expect(none.body.equals(plain.body)).toBe(true);
    }
  });

  test('no cell of a CSV begins as a formula, and no cell breaks out of its own', async () => {
    const hostile = [
      '=1+1',
      '+1',
      '-1',
      '@SUM(A1)',
      '\t=1',
      '\r=1',
      '\n=1',
      ' =1',
      '＝1',
      '＋1',
      '－1',
      '＠1',
      'a"\r\n=1,=2',
      'a\r=1',
      "'=1",
      "''",
    ];
    const actor = `${randomUUID()}@partner.example`;
    for (const label of hostile)
      await gateway.sql(insertEntries.replace('n::text', '?::text').replace("'anna@partner.example'", `'${actor}'`), [
        label,
        1,
      ]);
    await write(0);
    const text = await (await get(`activity.csv?actor=${actor}`)).text();
    const rows = parse(text, { columns: true, bom: true }) as Record<string, string>[];
    expect(rows).toHaveLength(hostile.length);
    for (const row of rows)
      for (const cell of Object.values(row)) expect(cell).not.toMatch(/^\s*[=+\-@＝＋－＠]|^[\t\r\n]/);
    expect(rows.map((row) => (row['resourceLabel'] as string).replace(/^'/, ''))).toEqual(hostile);
    // A line break of any kind stands in quotes only.
    expect(text.replaceAll(/"(?:[^"]|"")*"/g, '').replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  });

  test('a CSV is RFC 4180’s, with the mark by which Excel knows UTF-8; no cell is one that a spreadsheet makes something else of', async () => {
    // Order numbers, version numbers, SKUs, names: all are texts.
    const converted = [
      ...['814430661e97', '1E5', '57', '0042', '12345678901234567890', '12.30', '-5', '1,5', '1 000', "1'000", '7%'],
      ...[
        '$5',
        '5 €',
        '(3)',
        '1/2',
        '1-2',
        '2026-05-04',
        '04.05.2026',
        '10:30',
        '10:30 PM',
        '10 am',
        '.5',
        ' 7 ',
        '１２',
      ],
      ...['MAR1', '1-Sept', 'Dec 2025', '3 June 2026', 'TRUE', 'false'],
    ];
    const kept = [
      ...[
        'Müller & Söhne',
        '57432172736f',
        'DG7GMGF0FKZV',
        '365 Apps',
        'Company 7',
        'Marks 1 Ltd',

        'May',
        '1st',
        '',
      ],
      ...[
        '2026-05-04T10:00:00.128Z',
        '9410ceae-9548-58de-a4b2-25078770e13b',
        '0 wins, "1" loss',
        '{"version": "2022"}',
      ],
    ];
    const actor = `${randomUUID()}@partner.example`;
    const insert = insertEntries.replace('n::text', '?::text').replace("'anna@partner.example'", `'${actor}'`);
    for (const label of [...converted, ...kept]) await gateway.sql(insert, [label, 1]);
    await write(0);
    const bytes = Buffer.from(await (await get(`activity.csv?actor=${actor}`)).arrayBuffer());
    expect(bytes.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
    const text = bytes.toString('utf8');
    const breaks = text.replaceAll(/"(?:[^"]|"")*"/g, '').match(/\r?\n/g);
    expect(new Set(breaks)).toEqual(new Set(['\r\n']));
    expect(text.endsWith('\r\n')).toBe(true);
    const rows = parse(text, { columns: true, bom: true }) as Record<string, string>[];
    expect(rows.map(({ resourceLabel }) => resourceLabel)).toEqual([...converted.map((label) => `'${label}`), ...kept]);
    // The rule by which a program reads it, and the exact form beside it.
    const lines = linesOf(await (await get(`activity.jsonl?actor=${actor}`)).text()).map((line) => JSON.parse(line));
    for (const [place, row] of rows.entries())
      for (const name of ['at', 'position', 'id', 'resourceLabel', 'correlationId', 'cursor'])
        expect(row[name]?.replace(/^'/, '')).toBe(lines[place][name]);
    expect(rows[0]?.['position']).toMatch(/^'\d+\.\d+$/);
    expect(rows[0]?.['at']).toMatch(/^2/);
  });

  test('a list parameter may be given several times, joined by commas, or both; any other only once', async () => {
    const customer = await aCustomer(gateway);
    await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    await write(2);
    const some = 'from=2020-01-01T00:00:00Z';
    const actionsOf = async (query: string) => {
      const answer = await get(`activity.jsonl?${some}&${query}`);
      expect([query, answer.status]).toEqual([query, 200]);
      return new Set(linesOf(await answer.text()).map((line) => JSON.parse(line).action));
    };
    const both = new Set(['ORDER_PLACED', 'PRODUCT_KEY_REVEALED']);
    expect(await actionsOf('actions=ORDER_PLACED&actions=PRODUCT_KEY_REVEALED')).toEqual(both);
    expect(await actionsOf('actions=ORDER_PLACED,PRODUCT_KEY_REVEALED')).toEqual(both);
    expect(await actionsOf('actions=ORDER_PLACED&actions=PRODUCT_KEY_REVEALED,ACCESS_REVOKED')).toEqual(both);
    expect(await actionsOf('actions=ORDER_PLACED&actions=ORDER_PLACED')).toEqual(new Set(['ORDER_PLACED']));
    const path = `activity.csv?${some}&actions=ORDER_PLACED&actions=PRODUCT_KEY_REVEALED`;
    const answer = await get(path);
    const text = await answer.text();
    const [, address] = /^<\/exports\/(.+)>; rel="describedby"$/.exec(answer.headers.get('link') as string) ?? [];
    expect(await manifestOf(address as string)).toMatchObject({
      filter: { actions: 'ORDER_PLACED,PRODUCT_KEY_REVEALED' },
      // fetch takes the mark away.
      sha256: sha256(`\uFEFF${text}`),
    });
    for (const [name, value] of [
      ['from', '2026-01-01T00:00:00Z'],
      ['to', '2026-01-01T00:00:00Z'],
      ['actor', 'anna@partner.example'],
      ['actorObjectId', 'anna'],
      ['customerId', customer.id],
      ['orderId', customer.id.replace('cus', 'ord')],
      ['productId', 'DG7GMGF0FKZV'],
      ['after', 'x'],
      ['until', 'x'],
      ['manifest', '1'],
    ] as const) {
      const refused = await get(`activity.csv?${name}=${value}&${name}=${value}`);
      const { errors } = (await refused.json()) as { errors: { message: string }[] };
      expect([name, refused.status, errors[0]?.message]).toEqual([
        name,
        400,
        expect.stringMatching(`^${name}: must be .*given once$`),
      ]);
    }
  });

  test('rights: a customer’s administrator exports the own tenant only, and its manifest counts no more', async () => {
    const [mine, theirs] = [await aCustomer(gateway), await aCustomer(gateway)];
    for (const customer of [mine, theirs, mine]) await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    await write(0);
    const admin = await adminOf(gateway, mine);
    const text = await (await get('activity.jsonl', admin)).text();
    expect(linesOf(text).map((line) => JSON.parse(line).customerId)).toEqual(Array(4).fill(mine.id));
    const manifest = await manifestOf('activity.jsonl?manifest=1', admin);
    expect(manifest).toMatchObject({ count: 4, sha256: sha256(text) });
    expect(manifest).not.toHaveProperty('seals');
    expect(await manifestOf(`activity.jsonl?manifest=1&customerId=${theirs.id}`, admin)).toMatchObject({
      count: 0,
      first: null,
      last: null,
      sha256: sha256(''),
    });
    expect((await get('activity.csv?manifest=1', 'SALES_AGENT')).status).toBe(403);
  });

  test('rights: what the graph refuses of an entry to a role, its export leaves out, in both formats', async () => {
    const customer = await aCustomer(gateway);
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    await gateway.sql(
      `insert into activity_entries (id, action, outcome, actor, actor_role, customer_id, order_id, resource_type, resource_id, resource_label, correlation_id, detail)
       select gen_random_uuid(), 'CANCELLATION_CONFIRMED', 'SUCCEEDED', 'anna@partner.example', 'ADMIN_AGENT', ?, id, 'ORDER', 'ord', number, gen_random_uuid(),
         '{"orderNumber": "0", "lineNumbers": [1], "credit": "4711.00", "currency": "USD"}' from orders where number = ?`,
      [customer.rowId, order.number],
    );
    await write(0);
    const path = `customerId=${customer.id}&actions=ORDER_PLACED,CANCELLATION_CONFIRMED`;
    const tells = async (as: Caller) => {
      const lines = linesOf(await (await get(`activity.jsonl?${path}`, as)).text()).map((line) => JSON.parse(line));
      const csv = await (await get(`activity.csv?${path}`, as)).text();
      const graph = await gateway.run(
        `query ($id: ID!) { activity(filter: { customerId: $id, actions: [ORDER_PLACED, CANCELLATION_CONFIRMED] }) { nodes { order { id } detail {
          ... on OrderPlacedDetail { total { amount } } ... on CancellationConfirmedDetail { credit { amount } } } } } }`,
        { id: customer.id },
        as,
      );
      const [placed, confirmed] = graph.data.activity.nodes;
      // The same in the graph and in both formats.
      expect(lines.map(({ orderId }) => orderId)).toEqual([placed.order?.id ?? null, confirmed.order?.id ?? null]);
      expect(lines.map(({ detail }) => detail.total ?? detail.credit ?? null)).toEqual([
        placed.detail.total?.amount ?? null,
        confirmed.detail.credit?.amount ?? null,
      ]);
      expect(csv.includes('4711.00')).toBe(confirmed.detail.credit != null);
      expect(csv.includes('13748.00')).toBe(placed.detail.total != null);
      return lines.map(({ orderId, detail }) => [orderId !== null, 'total' in detail, 'credit' in detail]);
    };
    expect(await tells('GLOBAL_ADMIN')).toEqual([
      [true, true, false],
      [true, false, true],
    ]);
    expect(await tells(await adminOf(gateway, customer))).toEqual([
      [true, true, false],
      [true, false, false],
    ]);
    expect(await tells('ACCOUNT_ADMIN')).toEqual([
      [false, false, false],
      [false, false, false],
    ]);
    expect(await manifestOf('activity.jsonl?manifest=1', 'GLOBAL_ADMIN')).toHaveProperty('seals');
    expect(await manifestOf('activity.jsonl?manifest=1', 'ACCOUNT_ADMIN')).not.toHaveProperty('seals');
  });

  test('wrong parameters and cursors are told', async () => {
    const told = async (query: string) => {
      const answer = await get(`activity.csv?${query}`);
      return [
        answer.status,
        ((await answer.json()) as { errors: { extensions: { code: string } }[] }).errors[0]?.extensions.code,
      ];
    };
    expect(await told('after=x')).toEqual([400, 'BAD_USER_INPUT']);
    expect(await told('until=x')).toEqual([400, 'BAD_USER_INPUT']);
    expect(await told('manifest=yes')).toEqual([400, 'BAD_USER_INPUT']);
    const gone = gateway.gateway.services.feedCursors.encode({ xid: 1n, seq: 1n });
    expect(await told(`after=${gone}`)).toEqual([410, 'CURSOR_EXPIRED']);
  });
});

// The embedded database takes a minute to write as many; the code that sends them is the same.
const onServer = serverUrl ? describe : describe.skip;
if (!serverUrl) console.warn('Large exports to slow clients are tested on a server only: set TEST_DATABASE_URL.');

onServer(`a large export to a slow client, on ${engine}`, () => {
  const COUNT = 200_000;
  let gateway: TestGateway;
  beforeAll(async () => {
    // The client that takes nothing is not to be cut off while the test looks on.
    gateway = await startTestGateway({ bounds: { stalledTimeoutMs: 600_000 } });
    for (let written = 0; written < COUNT; written += 20_000) await gateway.sql(insertEntries, [20_000]);
    await until('the feed has read', () => gateway.gateway.services.feed.position.seq >= BigInt(COUNT));
  });
  afterAll(() => gateway.stop());

  /** Opens an export and leaves it unread. */
  const open = async () => {
    const authorization = `Bearer ${await gateway.token('GLOBAL_ADMIN')}`;
    return new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      request(`${gateway.url}/exports/activity.jsonl`, { headers: { authorization }, agent: false }, resolve)
        .on('error', reject)
        .end();
    });
  };
  /** Counts the statements of exports. */
  const statements = () => {
    const { batchReads } = gateway.gateway.services;
    const counter = { count: 0 };
    const executor = batchReads.getExecutor();
    const original = executor.executeQuery.bind(executor);
    // Kysely hands the same executor to every statement that is not of a transaction.
    executor.executeQuery = ((query: { sql: string }, ...rest: never[]) => {
      if (query.sql.includes('"detailText"')) counter.count += 1;
      return original(query as never, ...rest);
    }) as never;
    const restore = () => {
      executor.executeQuery = original;
    };
    return { counter, restore };
  };

  test('reads the log no further than the client does, lets others in, and answers all of it in the end', async () => {
    const { counter, restore } = statements();
    const answer = await open();
    // What sockets and streams hold is some batches; it stops there, and others are served meanwhile.
    let [before, calm] = [-1, 0];
    await until('the export waits for its client', async () => {
      await gateway.run('{ markets { code } }');
      calm = counter.count === before ? calm + 1 : 0;
      before = counter.count;
      return counter.count > 0 && calm > 20;
    });
    expect(counter.count).toBeLessThan(200);
    const atRest = memory();
    let [count, most] = [0, 0];
    for await (const chunk of answer) {
      const before = count;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count += 1;
      if (Math.floor(count / 20_000) > Math.floor(before / 20_000)) most = Math.max(most, memory());
    }
    restore();
    expect(count).toBe(COUNT);
    expect(counter.count).toBe(COUNT / EXPORT_BATCH_SIZE + 1);
    // The file has more than 100 MB; what is alive at any time is a few batches.
    expect((most - atRest) / 1e6).toBeLessThan(30);
  });

  test('a client that leaves ends the reading', async () => {
    const { counter, restore } = statements();
    const answer = await open();
    await until('it reads', () => counter.count > 0);
    answer.destroy();
    let [before, calm] = [-1, 0];
    await until('it reads no more', async () => {
      await gateway.run('{ markets { code } }');
      calm = counter.count === before ? calm + 1 : 0;
      before = counter.count;
      return calm > 20;
    });
    expect(counter.count).toBeLessThan(50);
    restore();
  });
});
