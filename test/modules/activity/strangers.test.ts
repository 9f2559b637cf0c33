import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { engine, type TestDatabase, testDatabase } from '../../support/database.js';
import { openEvents } from '../../support/event-stream.js';
import { type Caller, startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, stockShop } from '../../support/shop.js';
import {
  adminOf,
  buySoftware,
  keyOf,
  linkOf,
  restart,
  reveal,
  settled,
  type TestSoftware,
} from '../../support/software.js';

/** What an entry says of who acted, and the ids by which others could be told. */
const WHO =
  'id correlationId outcome actor { userPrincipalName role application issuer tenantId objectId } resource { label } detail { ... on AccessDeniedDetail { operation reason } }';
const FEED = `subscription ($after: String, $filter: ActivityFilter) { activity(after: $after, filter: $filter) { __typename ... on FeedMessage { cursor } ... on ActivityRecorded { entry { ${WHO} } } } }`;
const LIST = `query ($filter: ActivityFilter) { activity(filter: $filter, first: 100) { totalCount edges { cursor } nodes { ${WHO} } } }`;

interface Entry {
  id: string;
  correlationId: string;
  outcome: string;
  actor: { userPrincipalName: string; role: string };
}

describe(`strangers in a tenant’s log, on ${engine}`, () => {
  let database: TestDatabase;
  let gateway: TestGateway;
  let owned: TestSoftware;
  let owner: Caller;
  let intruder: Caller;
  /** What nobody of the owner's tenant is told. */
  let secrets: string[];
  let masked: object;
  const roleless = { user: 'nobody@stranger.example', tenantId: randomUUID(), objectId: randomUUID() };

  beforeAll(async () => {
    database = await testDatabase();
    const before = await startTestGateway({ database });
    await stockShop(before);
    owned = await buySoftware(before, await aCustomer(before));
    const other = await aCustomer(before);
    owner = await adminOf(before, owned.customer);
    intruder = await adminOf(before, other);
    await keyOf(before, owned);
    await reveal(before, owned.entitlementId, owned.choice.version, owner);
    // One is by somebody whose tenant gives no role here, one by its administrator, one from before identities were kept.
    const token = await new SignJWT({ upn: roleless.user, tid: roleless.tenantId, roles: [] })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('csp-graph-demo')
      .setAudience('csp-graph')
      .setSubject(roleless.objectId)
      .setExpirationTime('1h')
      .sign(before.gateway.services.config.signingSecret);
    await reveal(before, owned.entitlementId, owned.choice.version, { token });
    await reveal(before, owned.entitlementId, owned.choice.version, intruder);
    await before.sql(
      `insert into activity_entries (id, action, outcome, actor, actor_role, application, customer_id, product_ids, resource_type, resource_id, resource_label, correlation_id, detail)
       select ?, action, outcome, actor, actor_role, 'old application', customer_id, product_ids, resource_type, resource_id, resource_label, ?, detail
       from activity_entries where actor = ?`,
      [randomUUID(), randomUUID(), `admin@${other.domain}`],
    );
    const told = await before.sql<{ secret: string }>(
      `select distinct unnest(array[actor, actor_object_id, actor_tenant_id::text, correlation_id::text]) as secret
       from activity_entries where action = 'ACCESS_DENIED'`,
    );
    secrets = [other.domain, other.tenantId, 'old application', ...told.map(({ secret }) => secret)].filter(Boolean);
    masked = {
      outcome: 'DENIED',
      actor: {
        userPrincipalName: 'another tenant',
        role: expect.any(String),
        application: null,
        issuer: null,
        tenantId: null,
        objectId: null,
      },
    };
    // What was written before is not in the memory of this one: it replays from the table.
    gateway = await restart(before, database, {});
    await settled(gateway);
  });
  afterAll(() => gateway.stop());

  const expectNoStranger = (answer: unknown) => {
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
    for (const secret of secrets) expect(text).not.toContain(secret);
  };
  const listOf = async (as: Caller, filter: object = {}) => {
    const { data, errors } = await gateway.run(LIST, { filter }, as);
    expect(errors).toBeUndefined();
    return data.activity as { totalCount: number; nodes: Entry[]; edges: { cursor: string }[] };
  };
  const exportOf = async (as: Caller, query: string) => {
    const token = typeof as === 'string' ? await gateway.token(as) : as.token;
    const response = await fetch(`${gateway.url}/exports/activity.${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    return response.text();
  };

  test('rule 23: to its owner’s administrator a stranger is "another tenant", in every list and by id; agents keep their names', async () => {
    const { nodes, totalCount } = await listOf(owner);
    expectNoStranger(nodes);
    expect(totalCount).toBe(nodes.length);
    expect(nodes.filter(({ outcome }) => outcome === 'DENIED')).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining(masked)),
    );
    // An id of the request would be that of what else was done in it, elsewhere.
    for (const { id, correlationId, outcome } of nodes)
      if (outcome === 'DENIED') expect(id).toBe(`act_${correlationId}`);
    expect(nodes.filter(({ outcome }) => outcome !== 'DENIED').map(({ actor }) => actor.userPrincipalName)).toEqual([
      'agent.anna@partner.example',
      'agent.anna@partner.example',
      'agent.anna@partner.example',
      `admin@${owned.customer.domain}`,
    ]);
    const ids = nodes.map(({ id }) => id);
    const elsewhere = await gateway.run(
      `query ($id: ID!, $ids: [ID!]!) { customer(by: { id: $id }) { activity { nodes { ${WHO} } } } nodes(ids: $ids) { ... on ActivityEntry { ${WHO} } } }`,
      { id: owned.customer.id, ids },
      owner,
    );
    expect(elsewhere.data).toEqual({ customer: { activity: { nodes } }, nodes });
  });

  test('rule 23: the log’s readers at the partner see strangers by name', async () => {
    for (const role of ['GLOBAL_ADMIN', 'ACCOUNT_ADMIN'] as const) {
      const { nodes } = await listOf(role);
      for (const secret of secrets) expect(JSON.stringify(nodes)).toContain(secret);
      expect((await listOf(role, { actorObjectId: roleless.objectId })).totalCount).toBe(1);
    }
    for (const filter of ['', `?actorObjectId=${roleless.objectId}`])
      expect(await exportOf('ACCOUNT_ADMIN', `csv${filter}`)).toContain(roleless.user);
  });

  test('rule 23: over WebSocket and as events, replayed and live, a stranger is "another tenant" to one tenant and named to the partner', async () => {
    const { edges } = await listOf(owner);
    const after = edges[0]?.cursor as string;
    const open = async (as: Caller) => {
      const [socket, events] = [
        await gateway.subscribe(FEED, { after }, as),
        await openEvents(gateway, { query: FEED, variables: { after }, as }),
      ];
      return [
        { nextOf: socket.nextOf, end: socket.end },
        { nextOf: async (type: string) => (await events.nextOf(type)).message, end: async () => events.end() },
      ];
    };
    const streams = { owner: await open(owner), partner: await open('GLOBAL_ADMIN') };
    const denied = async (next: { nextOf: (type: string) => Promise<{ entry: Entry }> }, count: number) => {
      const entries: Entry[] = [];
      while (entries.length < count) {
        const { entry } = await next.nextOf('ActivityRecorded');
        if (entry.outcome === 'DENIED') entries.push(entry);
      }
      return entries;
    };
    const replayed = await Promise.all(streams.owner.map((stream) => denied(stream, 3)));
    const named = await Promise.all(streams.partner.map((stream) => denied(stream, 3)));
    for (const stream of [...streams.owner, ...streams.partner]) await stream.nextOf('FeedCaughtUp');
    // The key was tried before: the same attempt again would be joined to that one, and be no entry of its own.
    await expect(linkOf(gateway, owned, intruder)).rejects.toThrow('NotFound');
    const live = await Promise.all(streams.owner.map((stream) => denied(stream, 1)));
    const liveNamed = await Promise.all(streams.partner.map((stream) => denied(stream, 1)));
    for (const entries of [...replayed, ...live]) {
      expectNoStranger(entries);
      for (const entry of entries) expect(entry).toMatchObject(masked);
    }
    for (const entries of [...named, ...liveNamed])
      for (const { actor } of entries) expect(secrets).toContain(actor.userPrincipalName);
    for (const stream of [...streams.owner, ...streams.partner]) await stream.end();
  });

  test('rule 23: in exports a stranger is "another tenant"', async () => {
    for (const format of ['csv', 'jsonl', 'jsonl?actions=ACCESS_DENIED']) {
      const text = await exportOf(owner, format);
      expectNoStranger(text);
      expect(text.split('another tenant').length).toBeGreaterThan(3);
    }
  });

  test('rule 23: a filter goes by what is shown: a stranger’s name or object id finds nothing, counts nothing, and delivers nothing', async () => {
    const [stranger] = await gateway.sql<{ actor: string; objectId: string }>(
      `select actor, actor_object_id as "objectId" from activity_entries where action = 'ACCESS_DENIED' and actor_role = 'CUSTOMER_ADMIN' and actor_object_id is not null limit 1`,
    );
    const telling = [
      { actor: stranger?.actor },
      { actor: stranger?.actor.toUpperCase() },
      { actor: roleless.user },
      { actorObjectId: stranger?.objectId },
      { actorObjectId: roleless.objectId, actions: ['ACCESS_DENIED'] },
    ];
    const { edges } = await listOf(owner);
    for (const filter of telling) {
      expect([filter, await listOf(owner, filter)]).toEqual([filter, { totalCount: 0, nodes: [], edges: [] }]);
      const replay = await gateway.subscribe(FEED, { after: edges[0]?.cursor, filter }, owner);
      expect((await replay.next()).data.activity.__typename).toBe('FeedCaughtUp');
      await replay.end();
      const given = Object.entries(filter).map(([name, value]) => [name, String(value)]);
      expect(await exportOf(owner, `jsonl?${new URLSearchParams(given)}`)).toBe('');
    }
    const shown = await listOf(owner, { actor: 'Another Tenant' });
    expect(shown.nodes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: shown.totalCount }, () => 'DENIED'));
    expect(shown.totalCount).toBeGreaterThanOrEqual(3);
  });
});
