import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSchema, type GraphQLSchema, parse } from 'graphql';
import { ActivityAction } from '../../src/activity-log/activity-action.js';
import { toGlobalId } from '../../src/domain/global-id.js';
import { errorsOf } from '../../src/execution/valid-document.js';
import { buildGraph } from '../../src/schema/build-schema.js';
import { rootReads } from '../../src/schema/read-model.js';
import { copiesOf, engine, type TestDatabase, testDatabase } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { marksOf, valuesOf } from '../support/marks.js';
import { namedOperations } from '../support/operations.js';
import { type Pool, randomOperation, seededRandom } from '../support/random-operation.js';
import { aPrice, keysToStore, skus } from '../support/shop.js';
import { productKeyForm, settled } from '../support/software.js';
import { aTenant, type TestTenant } from '../support/tenants.js';
import { Conversation, FEEDS } from '../support/told.js';
import { until } from '../support/until.js';

/** Random operations, and the seed that they come of: the same seed, the same operations. */
const COUNT = Number(process.env['ISOLATION_OPERATIONS'] ?? 400);
const SEED = Number(process.env['ISOLATION_SEED'] ?? 20261127);
const WORDS = ['markedalpha', 'markedbravo'] as const;
/** Cursors of the log by where they lie: two databases may have other incarnations. */
const withoutIncarnation = (text: string) =>
  text.replace(/([\w-]{60,200})\.[\w-]{22}/g, (cursor, place: string) => {
    const parts = Buffer.from(place, 'base64url').toString();
    return parts.startsWith('["feed:') ? JSON.parse(parts).slice(1).join('.') : cursor;
  });

describe(`two tenants, on ${engine}`, () => {
  let databases: TestDatabase[];
  let gateway: TestGateway;
  /** The first tenant's rows, and nobody else's. */
  let alone: TestGateway;
  let schemas: readonly [GraphQLSchema, readonly string[]][];
  let tenants: [TestTenant, TestTenant];
  let pool: Pool;
  let cursors: string[];

  beforeAll(async () => {
    const database = await testDatabase();
    const first = await startTestGateway({ database });
    for (const [segment, price] of [
      ['CHARITY', '7310.53'],
      ['EDUCATION', '8421.67'],
    ] as const)
      await aPrice(first, skus.perpetual, price, { segment });
    const mine = await aTenant(first, { mark: WORDS[0], segment: 'CHARITY' });
    await settled(first);
    const dump = await database.pglite?.dumpDataDir('none');
    await first.gateway.stop();
    const copies = await copiesOf(database, dump);
    databases = [database, ...copies];
    alone = await startTestGateway({ database: copies[0] });
    gateway = await startTestGateway({ database: copies[1] });
    tenants = [mine, await aTenant(gateway, { mark: WORDS[1], segment: 'EDUCATION' })];
    await settled(gateway);
    const own = await fetch(`${gateway.url}/schema.graphql`, {
      headers: { authorization: `Bearer ${(mine.admin as { token: string }).token}` },
    });
    const view = buildSchema(await own.text());
    const roots = Object.keys(view.getQueryType()?.getFields() ?? {}).filter((name) => name in rootReads);
    schemas = [
      [view, roots],
      [view, roots],
      [await buildGraph(), Object.keys(rootReads)],
    ];
    cursors = await cursorsOf();
    pool = poolOf();
  });
  afterAll(async () => {
    await gateway.stop();
    await alone.stop();
    for (const { drop } of databases) await drop();
  });

  /** The cursors that a partner's person is given of both tenants' rows, in several lists and orders. */
  const cursorsOf = async () => {
    const { data } =
      await gateway.run(`{ a: customers(orderBy: { field: COMPANY_NAME, direction: ASC }) { edges { cursor } }
      b: customers { edges { cursor } } c: orders { edges { cursor } } d: software { edges { cursor } } e: activity { edges { cursor } } }`);
    const lists = Object.values(data) as { edges: { cursor: string }[] }[];
    return lists.flatMap(({ edges }) => edges.map(({ cursor }) => cursor));
  };
  const text = (value: string | undefined) => JSON.stringify(value);
  const ofBoth = (make: (tenant: TestTenant) => string[]) => tenants.flatMap((tenant) => make(tenant));
  const poolOf = (): Pool => {
    const missing = toGlobalId('Order', randomUUID());
    const ids = ofBoth((tenant) => Object.values(tenant.ids).map(text));
    return {
      id: [...ids, text(missing), '"broken"'],
      ids: [`[${ids}]`, `[${ids.filter((_, index) => index % 3 === 0)}, ${text(missing)}]`],
      first: ['1', '2', '100'],
      last: ['1', '3', '100'],
      after: cursors.map(text),
      before: cursors.map(text),
      by: ofBoth(({ customer, order }) => [
        `{ id: ${text(customer.id)} }`,
        `{ domain: ${text(customer.domain)} }`,
        `{ tenantId: ${text(customer.tenantId)} }`,
        `{ id: ${text(order.id)} }`,
        `{ number: ${text(order.number)} }`,
      ]),
      CustomerFilter: ofBoth(({ customer }) => [
        `{ search: ${text(customer.domain.slice(0, 11))} }`,
        `{ domain: ${text(customer.domain)} }`,
        '{ segment: EDUCATION }',
        '{ market: "US" }',
      ]),
      OrderFilter: ofBoth(({ customer }) => [
        `{ customerId: ${text(customer.id)} }`,
        '{ statuses: [COMPLETED, CANCELLED] }',
        '{ placedBy: "agent.anna@partner.example" }',
        `{ productId: ${text(skus.perpetual.productId)} }`,
      ]),
      SoftwareFilter: ofBoth(({ customer }) => [
        `{ customerId: ${text(customer.id)}, statuses: [ACTIVE] }`,
        '{ statuses: [REVOKED] }',
        '{ kinds: [PERPETUAL_SOFTWARE] }',
      ]),
      ActivityFilter: ofBoth(({ customer, order }) => [
        `{ customerId: ${text(customer.id)} }`,
        `{ orderId: ${text(order.id)} }`,
        `{ actor: "admin@${customer.domain}" }`,
        `{ actorObjectId: "admin@${customer.domain}", actions: [ACCESS_DENIED] }`,
        '{ actions: [ACCESS_DENIED, PRODUCT_KEY_REVEALED] }',
      ]),
      CustomerOrder: ['{ field: CREATED_AT, direction: DESC }', '{ field: COMPANY_NAME, direction: ASC }'],
      OrderOrder: ['{ field: PLACED_AT, direction: ASC }', '{ field: PLACED_AT, direction: DESC }'],
      ActivityOrder: ['{ direction: DESC }', '{ direction: ASC }'],
      market: ['"US"'],
      productId: [text(skus.perpetual.productId)],
      groupBy: ['[CUSTOMER]', '[]'],
    };
  };

  test(`${COUNT} random operations of each other’s ids, filters and cursors tell neither anything of the other`, async () => {
    const random = seededRandom(SEED);
    const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value;
    const conversation = new Conversation(gateway, tenants);
    const byItself = new Conversation(alone, tenants);
    for (const to of [0, 1]) await conversation.follow(to);
    const keys: [Set<string>, Set<string>] = [new Set(), new Set()];
    let compared = 0;

    const read = async (to: number, isUnchanged: boolean) => {
      for (;;) {
        const [schema, roots] = pick(schemas);
        const { query, variables } = randomOperation(schema, roots, pool, random);
        if (errorsOf(schema, parse(query)).length > 0) continue;
        if (random() < 0.2) return conversation.overSocket(to, query, variables);
        const answer = await conversation.overHttp(to, query, variables);
        // Where it lies in the log, a signed cursor tells of no entry; whether it still holds, it does.
        if (!isUnchanged || to === 1 || query.includes('"WyJmZWVk')) return;
        const expected = await byItself.overHttp(to, query, variables);
        compared += 1;
        if (withoutIncarnation(answer) !== withoutIncarnation(expected))
          throw new Error(
            `seed ${SEED}: another tenant’s rows change the answer to\n${query}\n${answer}\nfrom\n${expected}`,
          );
        return;
      }
    };
    let sessions: { id: string }[] = [];
    const written = async () => {
      sessions = await gateway.sql('select id from sessions');
      return sessions.length > 0;
    };
    await until('a session is written down', written);
    const mutations = namedOperations().filter(({ kind }) => kind === 'mutation');
    const mutate = async (to: number, only = pick(mutations).name, target = pick(tenants)) => {
      const own = tenants[to] as TestTenant;
      const { text: query, name } = mutations.find((mutation) => mutation.name === only) ?? pick(mutations);
      const all = {
        idempotencyKey: randomUUID(),
        customerId: target.customer.id,
        orderId: pick([target.order.id, own.order.id]),
        entitlementId: target.entitlementId,
        ...target.choice,
      };
      const support = {
        topic: 'CSP Purchase/Refund on behalf of customers',
        impact: 'MINIMAL',
        title: 'T',
        description: 'D',
      };
      const { version, language, architecture, idempotencyKey, customerId, orderId, entitlementId } = all;
      const inputs: Record<string, object> = {
        Purchase: { idempotencyKey, customerId, lines: [{ ...skus.perpetual, quantity: 1 }] },
        CancelOrder: { idempotencyKey, orderId, acknowledged: true },
        RevealProductKey: { entitlementId, version },
        CreateDownloadLink: { entitlementId, version, language, architecture },
        RevokeAccess: { userPrincipalName: `admin@${target.customer.domain}` },
        RestoreAccess: { userPrincipalName: `admin@${target.customer.domain}` },
        StoreProductKeys: keysToStore(),
        EndSession: { sessionId: toGlobalId('Session', pick(sessions).id) },
        UpdateSupportRequest: { idempotencyKey, supportRequestId: target.ids.SupportRequest, note: 'N' },
        RetryJob: { jobId: toGlobalId('Job', target.order.id.slice(4)) },
        GiveUpJob: { jobId: toGlobalId('Job', target.order.id.slice(4)), reason: 'R' },
        SubmitSupportRequest: {
          idempotencyKey,
          customerId,
          orderId,
          ...support,
          contact: { name: 'N', email: 'n@example.com', phone: '+1 425 555 0100' },
        },
      };
      const input = inputs[name];
      if (!input) throw new Error(`say what ${name} is to be tried with`);
      if (target !== own && random() < 0.3) return conversation.overSocket(to, query, { input });
      const answer = await conversation.overHttp(to, query, { input });
      const [key] = productKeyForm.exec(answer) ?? [];
      if (key) keys[to]?.add(key);
    };
    /** Both tenants’ licences in one request, which has one correlation id. */
    const mutateBoth = (to: number) => {
      const fields = tenants.map(
        ({ entitlementId, choice }, index) =>
          `m${index}: revealProductKey(input: { entitlementId: ${text(entitlementId)}, version: ${text(choice.version)} }) { __typename ... on Problem { code message } }`,
      );
      return conversation.overHttp(to, `mutation { ${fields.join(' ')} }`, {}, { 'x-correlation-id': randomUUID() });
    };
    const stream = (to: number) => {
      const { customer, order } = pick(tenants);
      const filter = pick([
        null,
        { customerId: customer.id },
        { orderId: order.id },
        { actor: `admin@${customer.domain}` },
        { actorObjectId: `admin@${customer.domain}` },
      ]);
      const [query, variables] = pick([
        [FEEDS[0], { filter }],
        [FEEDS[1], { customerId: pick([null, customer.id]) }],
      ]);
      const sent = { after: pick(cursors.filter((cursor) => cursor.startsWith('WyJmZWVk'))), ...variables };
      return random() < 0.5 ? conversation.overSocket(to, query, sent) : conversation.asEvents(to, query, sent);
    };
    const save = (to: number) => {
      const { customer, order } = pick(tenants);
      const parameters = pick([
        '',
        `actor=admin@${customer.domain}`,
        `actorObjectId=admin@${customer.domain}`,
        `customerId=${customer.id}`,
        `orderId=${order.id}`,
        `actions=${Object.keys(ActivityAction)}`,
      ]);
      return conversation.asFile(to, `${pick(['csv', 'jsonl'])}?${parameters}${pick(['', '&manifest=1'])}`);
    };

    // While nothing is changed an answer is the same as where the other tenant is not; afterwards there is no telling.
    for (let done = 0; done < COUNT; done += 1) {
      const to = done % 2;
      const isUnchanged = done < COUNT * 0.6;
      const share = random();
      if (share < (isUnchanged ? 0.85 : 0.2)) await read(to, isUnchanged);
      else if (!isUnchanged && share < 0.8) await (random() < 0.2 ? mutateBoth(to) : mutate(to));
      else await (random() < 0.6 ? stream(to) : save(to));
    }
    for (const to of [0, 1]) {
      const { customer } = tenants[to] as TestTenant;
      await mutate(to, 'RevealProductKey', tenants[to]);
      const [last] = await gateway.sql<{ id: string }>(
        'select id from activity_entries where customer_id = ? order by xid desc, seq desc limit 1',
        [customer.rowId],
      );
      await until('both streams have told the last entry', () => conversation.heardLive(to, last?.id as string) === 2);
    }
    await settled(gateway);
    const values = [await valuesOf(gateway, tenants[0]), await valuesOf(gateway, tenants[1])] as const;
    const marks = [
      marksOf(WORDS[1], values[0], values[1], keys[1]),
      marksOf(WORDS[0], values[1], values[0], keys[0]),
    ] as const;

    // The check can fail: what a partner's person is told has the marks of both.
    const whole = `{ customers { nodes { id tenantId domain companyName contact { email } } } orders { edges { cursor node { id number total { amount } lines { id } } } }
      software { nodes { id grantedAt } } activity(last: 100) { nodes { id correlationId actor { objectId } resource { label } } } }`;
    const partner = JSON.stringify((await gateway.run(whole)).data);
    for (const of of marks) expect(of.in(partner).length).toBeGreaterThan(30);
    const edge = JSON.stringify(
      (await gateway.run('{ customers(orderBy: { field: COMPANY_NAME, direction: ASC }) { edges { cursor } } }')).data,
    );
    for (const [index, of] of marks.entries()) expect(of.in(edge)).toContain(WORDS[1 - index]);

    // Nor was it empty: attempts at each other's are in both logs, keys were told, and most answers have rows.
    for (const [index, { strangers }] of values.entries())
      expect([index, strangers.size > 0, keys[index]?.size]).toEqual([index, true, 1]);
    const ownMarks = [marksOf(WORDS[0], values[1], values[0]), marksOf(WORDS[1], values[0], values[1])] as const;
    const withRows = conversation.told.filter(({ to, text }) => ownMarks[to as 0 | 1].in(text).length > 0).length;
    expect(withRows).toBeGreaterThan(COUNT / 4);
    expect(compared).toBeGreaterThan(COUNT / 10);

    const faults = conversation.told.flatMap((told) => {
      const found = marks[told.to as 0 | 1].in(told.text);
      return found.length > 0 ? [{ ...told, text: told.text.slice(0, 2_000), found }] : [];
    });
    expect([SEED, faults.length, faults.slice(0, 3)]).toEqual([SEED, 0, []]);

    // What is counted is what is there.
    const counts = '{ customers { totalCount } orders { totalCount } software { totalCount } activity { totalCount } }';
    for (const { admin, customer } of tenants) {
      const [own] = await gateway.sql(
        `select (select count(*)::int from orders where customer_id = ?) as orders, (select count(*)::int from entitlements where customer_id = ?) as software,
           (select count(*)::int from activity_entries where customer_id = ?) as activity`,
        [customer.rowId, customer.rowId, customer.rowId],
      );
      const expected = Object.entries({ customers: 1, ...own }).map(([list, totalCount]) => [list, { totalCount }]);
      expect((await gateway.run(counts, {}, admin)).data).toEqual(Object.fromEntries(expected));
    }
    process.stdout.write(
      `tenant isolation: seed ${SEED}, ${COUNT} operations, ${conversation.told.length} messages, ${withRows} of them with own rows, ${compared} answers compared with those of a tenant alone, ${marks[0].values.size + marks[1].values.size} values looked for\n`,
    );
    await conversation.end();
    await byItself.end();
  });
});
