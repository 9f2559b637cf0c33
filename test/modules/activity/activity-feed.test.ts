import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type FeedEntry } from '../../../src/activity-log/entry.js';
import { type EntryFilter, passes } from '../../../src/activity-log/entry-filter.js';
import { START } from '../../../src/activity-log/position.js';
import { readEntries } from '../../../src/activity-log/read-entries.js';
import {
  ActivityDocument,
  ActivityFeedDocument,
  type ActivityFilter,
  type ActivityQuery,
  CancellationConfirmationsDocument,
} from '../../generated/graphql.js';
import { engine, type TestDatabase, testDatabase } from '../../support/database.js';
import {
  type Answer,
  type Caller,
  startTestGateway,
  type TestGateway,
  type TestStream,
} from '../../support/gateway.js';
import { openAcknowledged } from '../../support/raw-socket.js';
import { aCustomer, buy, skus, stockShop } from '../../support/shop.js';
import { buySoftware, cancelAndConfirm, entriesOf, restart, reveal, settled } from '../../support/software.js';
import { aTenant, type TestTenant } from '../../support/tenants.js';

const placeOf = (values: unknown) => Buffer.from(JSON.stringify(values)).toString('base64url');
const partsOf = (cursor: string): [string, string, string] =>
  JSON.parse(Buffer.from(cursor.split('.')[0] as string, 'base64url').toString());
const isUpTo = (cursor: string, other: string) => {
  const [[, xid, seq], [, otherXid, otherSeq]] = [partsOf(cursor), partsOf(other)];
  return BigInt(xid) === BigInt(otherXid) ? BigInt(seq) <= BigInt(otherSeq) : BigInt(xid) < BigInt(otherXid);
};

describe(`the activity feed, on ${engine}`, () => {
  let database: TestDatabase;
  let gateway: TestGateway;
  let mine: TestTenant;
  let theirs: TestTenant;
  beforeAll(async () => {
    database = await testDatabase();
    const before = await startTestGateway({ database });
    await stockShop(before);
    mine = await aTenant(before);
    theirs = await aTenant(before);
    // What was written before is not in the memory of this one: it replays from the table.
    gateway = await restart(before, database, { config: { feedCheckpointMs: 50 } });
    mine.admin = { token: await gateway.token('CUSTOMER_ADMIN', mine.customer) };
  });
  afterAll(() => gateway.stop());

  const purchase = async (customer = mine.customer) => buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
  /** Cursor and id of every entry of the log that passes, oldest first. */
  const edgesOf = async (filter: ActivityFilter = {}, as?: Caller) => {
    await settled(gateway);
    const edges: { cursor: string; id: string }[] = [];
    for (let after: string | null | undefined = null; ; ) {
      const answer: Answer<ActivityQuery> = await gateway.run(ActivityDocument, { filter, first: 100, after }, as);
      const page = answer.data.activity;
      edges.push(...(page?.edges ?? []).map(({ cursor, node }) => ({ cursor, id: node.id })));
      if (!page?.pageInfo.hasNextPage) return edges;
      after = page.pageInfo.endCursor;
    }
  };
  /** Cursor of the first entry. */
  const beginning = async () => (await edgesOf())[0]?.cursor as string;
  /** What a stream says until it has said a cursor, or a later one. */
  const readUpTo = async (stream: TestStream, cursor: string) => {
    const edges: { cursor: string; id: string }[] = [];
    for (;;) {
      const { data } = await stream.next();
      const message = data.activity;
      if (message.entry) edges.push({ cursor: message.cursor, id: message.entry.id });
      if (isUpTo(cursor, message.cursor)) return edges;
    }
  };

  test('rule 23: replay after a query’s endCursor gives exactly the rest, then FeedCaughtUp, then live', async () => {
    const all = await edgesOf();
    for (const index of [0, Math.floor(all.length / 2), all.length - 1]) {
      const { data } = await gateway.run(ActivityDocument, { first: index + 1 });
      const after = data.activity?.pageInfo.endCursor as string;
      expect(after).toBe(all[index]?.cursor);
      const stream = await gateway.subscribe(ActivityFeedDocument, { after });
      const replayed = [];
      let message = (await stream.next()).data.activity;
      for (; message.__typename === 'ActivityRecorded'; message = (await stream.next()).data.activity)
        replayed.push({ cursor: message.cursor, id: message.entry.id });
      expect(replayed).toEqual(all.slice(index + 1));
      expect(message).toEqual({ __typename: 'FeedCaughtUp', cursor: all.at(-1)?.cursor });
      const { number } = await purchase();
      // Placed and confirmed.
      for (let told = 0; told < 2; told += 1) {
        const live = await stream.nextOf('ActivityRecorded');
        expect(live.entry.resource.label).toBe(number);
        all.push({ cursor: live.cursor, id: live.entry.id });
      }
      await stream.end();
    }
    expect(await edgesOf()).toEqual(all);
  });

  test('rule 23: without a cursor the feed is live from now on', async () => {
    const stream = await gateway.subscribe(ActivityFeedDocument);
    expect((await stream.next()).data.activity.__typename).toBe('FeedCaughtUp');
    const { number } = await purchase();
    expect((await stream.nextOf('ActivityRecorded')).entry.resource.label).toBe(number);
    await stream.end();
  });

  test('a cursor that is none, of another list, or corrupt is BAD_USER_INPUT; one of another database CURSOR_EXPIRED', async () => {
    const cursor = await beginning();
    const [place = '', signature = ''] = cursor.split('.');
    const [tag, xid, seq] = partsOf(cursor);
    const { feedCursors } = gateway.gateway.services;
    const { data } = await gateway.run('{ orders { pageInfo { endCursor } } }');
    const bad = [
      '',
      'nonsense',
      cursor.slice(0, -6),
      data.orders.pageInfo.endCursor,
      // Without a signature, with that of another place, with one of nobody's.
      place,
      `${placeOf([tag, String(BigInt(xid) + 1n), seq])}.${signature}`,
      `${place}.${'A'.repeat(22)}`,
      ...[
        [tag, xid],
        [tag, xid, seq, seq],
        ['Order:PLACED_AT', xid, seq],
        [tag, Number(xid), Number(seq)],
        { 0: tag },
      ].map((values) => `${placeOf(values)}.${signature}`),
      // Signed, and still no numbers of PostgreSQL's.
      ...['-1', '9'.repeat(19), '9'.repeat(30), '01', `${xid}; drop table orders`].map((wrong) =>
        feedCursors.encode({ xid: wrong, seq }),
      ),
      'x'.repeat(2_000),
    ];
    const foreign = `${placeOf(['feed:00000000-0000-4000-8000-000000000000', xid, seq])}.${signature}`;
    for (const [after, code] of [...bad.map((text) => [text, 'BAD_USER_INPUT']), [foreign, 'CURSOR_EXPIRED']]) {
      const asked = await gateway.run(ActivityDocument, { after });
      expect([after, asked.data, asked.errors?.[0].extensions]).toEqual([
        after,
        { activity: null },
        { code, field: 'after' },
      ]);
      for (const document of [ActivityFeedDocument, CancellationConfirmationsDocument]) {
        const stream = await gateway.subscribe(document, { after });
        const { errors } = await stream.next();
        await stream.end();
        expect([after, errors[0].extensions]).toEqual([after, { code, field: 'after' }]);
      }
    }
  });

  test('rule 23: one filter, one meaning: live from memory, replayed from the table, and in Query.activity', async () => {
    const first = await beginning();
    const everything = await entriesOf(gateway, {});
    const instant = everything[Math.floor(everything.length / 2)]?.at as string;
    const filters: ActivityFilter[] = [
      {},
      { actions: [] },
      { actions: ['ORDER_PLACED'] },
      { actions: ['ORDER_PLACED', 'CANCELLATION_CONFIRMED', 'PRODUCT_KEY_REVEALED'] },
      { actor: 'AGENT.Anna@partner.example' },
      { actor: 'agent.anna' },
      { actor: '' },
      { customerId: mine.customer.id },
      { orderId: mine.order.id },
      { productId: skus.perpetual.productId.toLowerCase() },
      { productId: skus.reservation.productId },
      { productId: '' },
      { from: instant },
      { to: instant },
      { from: instant, to: instant },
      { customerId: theirs.customer.id, actions: ['ORDER_PLACED'], productId: skus.perpetual.productId },
      { from: null, to: null, actions: null, actor: null, customerId: null, orderId: null, productId: null },
    ];
    for (const as of ['GLOBAL_ADMIN' as const, mine.admin]) {
      const opened = await Promise.all(
        filters.map(async (filter) => {
          const stream = await gateway.subscribe(ActivityFeedDocument, { filter }, as);
          return { filter, stream, from: (await stream.nextOf('FeedCaughtUp')).cursor as string };
        }),
      );
      for (const customer of [mine.customer, theirs.customer]) {
        const software = await buySoftware(gateway, customer);
        await reveal(gateway, software.entitlementId, software.choice.version);
        await cancelAndConfirm(gateway, software);
        await buy(gateway, customer, [{ ...skus.reservation, quantity: 1 }]);
      }
      const end = (await edgesOf()).at(-1)?.cursor as string;
      for (const { filter, stream, from } of opened) {
        const live = await readUpTo(stream, end);
        await stream.end();
        const replay = await gateway.subscribe(ActivityFeedDocument, { filter, after: first }, as);
        const replayed = await readUpTo(replay, end);
        await replay.end();
        const queried = (await edgesOf(filter, as)).filter(({ cursor }) => cursor !== first);
        expect([filter, replayed]).toEqual([filter, queried]);
        expect([filter, live]).toEqual([filter, queried.filter(({ cursor }) => !isUpTo(cursor, from))]);
      }
    }
  });

  test('rule 23: `passes` and the SQL of the table agree on every entry and filter, own tenant or nobody’s included', async () => {
    const { kysely } = gateway.gateway.services;
    for (const [intruder, owner] of [
      [theirs, mine],
      [mine, theirs],
    ] as const)
      await reveal(gateway, owner.entitlementId, owner.choice.version, intruder.admin);
    await settled(gateway);
    const all: FeedEntry[] = await readEntries(kysely, { after: START, limit: 10_000 });
    const middle = new Date(all[Math.floor(all.length / 2)]?.at as number);
    const values: { [Name in keyof EntryFilter]-?: EntryFilter[Name][] } = {
      from: [null, middle, new Date(middle.getTime() + 1)],
      to: [null, middle],
      actions: [null, [], ['ORDER_PLACED', 'ACCESS_DENIED']],
      actor: [null, '', 'AGENT.ANNA@PARTNER.EXAMPLE', `admin@${theirs.customer.domain}`, 'another tenant'],
      actorObjectId: [null, '', 'agent.anna@partner.example', `admin@${theirs.customer.domain}`],
      customerId: [null, mine.customer.rowId],
      orderId: [null, mine.order.id.slice(4)],
      productId: [null, 'dg7gmgf0fkzv', ''],
      own: [
        undefined,
        { tenantId: mine.customer.tenantId, customerId: null },
        { tenantId: mine.customer.tenantId, customerId: mine.customer.rowId },
        { tenantId: theirs.customer.tenantId, customerId: theirs.customer.rowId },
      ],
    };
    let filters: EntryFilter[] = [{}];
    for (const [name, choices] of Object.entries(values)) {
      // Every value alone, and every pair of them.
      filters = filters.flatMap((filter) => {
        const isFull = Object.values(filter).filter((value) => value !== null).length >= 2;
        return [
          filter,
          ...(isFull
            ? []
            : choices.filter((value) => value !== undefined).map((value) => ({ ...filter, [name]: value }))),
        ];
      });
    }
    expect(filters.length).toBeGreaterThan(100);
    for (const filter of filters) {
      const fromTable = (await readEntries(kysely, { after: START, filter, limit: 10_000 })).map((entry) => entry.id);
      expect([filter, fromTable]).toEqual([
        filter,
        all.filter((entry) => passes(entry, filter)).map((entry) => entry.id),
      ]);
    }
  });

  test('rule 23: a CUSTOMER_ADMIN’s streams carry the own tenant’s entries and confirmations only, live and replayed', async () => {
    const first = await beginning();
    const feed = await gateway.subscribe(ActivityFeedDocument, {}, mine.admin);
    const confirmations = await gateway.subscribe(CancellationConfirmationsDocument, {}, mine.admin);
    const foreign = await gateway.subscribe(
      CancellationConfirmationsDocument,
      { customerId: theirs.customer.id },
      mine.admin,
    );
    for (const stream of [feed, confirmations, foreign]) await stream.nextOf('FeedCaughtUp');
    await cancelAndConfirm(gateway, await buySoftware(gateway, theirs.customer));
    const own = await buySoftware(gateway, mine.customer);
    await cancelAndConfirm(gateway, own);
    const end = (await edgesOf()).at(-1)?.cursor as string;

    const live = await readUpTo(feed, end);
    expect(live).toHaveLength(4);
    const ownEdges = await edgesOf({ customerId: mine.customer.id });
    expect(ownEdges).toEqual(expect.arrayContaining(live));
    const replay = await gateway.subscribe(ActivityFeedDocument, { after: first }, mine.admin);
    expect(await readUpTo(replay, end)).toEqual(ownEdges.filter(({ cursor }) => cursor !== first));
    expect((await confirmations.nextOf('CancellationConfirmed')).cancellation.order.number).toBe(own.order.number);
    for (let isPast = false; !isPast; ) {
      const { __typename, cursor } = (await foreign.next()).data.cancellationConfirmed;
      expect(__typename).toBe('FeedCheckpoint');
      isPast = isUpTo(end, cursor);
    }
    for (const stream of [feed, replay, confirmations, foreign]) await stream.end();
  });

  test('rule 23: cancellationConfirmed carries confirmations only, of one customer where asked, and replays them', async () => {
    const after = await beginning();
    const [ours, other] = [await aCustomer(gateway), await aCustomer(gateway)];
    const all = await gateway.subscribe(CancellationConfirmationsDocument, {}, 'BILLING_ADMIN');
    const one = await gateway.subscribe(CancellationConfirmationsDocument, { customerId: ours.id }, 'ADMIN_AGENT');
    for (const stream of [all, one]) await stream.nextOf('FeedCaughtUp');
    const bought = [await buySoftware(gateway, other), await buySoftware(gateway, ours)];
    for (const software of bought) await cancelAndConfirm(gateway, software);
    const numbers = bought.map(({ order }) => order.number);
    const number = async (stream: TestStream) =>
      (await stream.nextOf('CancellationConfirmed')).cancellation.order.number;
    expect([await number(all), await number(all), await number(one)]).toEqual([...numbers, numbers[1]]);
    const replay = await gateway.subscribe(CancellationConfirmationsDocument, { after, customerId: other.id });
    expect(await number(replay)).toBe(numbers[0]);
    await replay.nextOf('FeedCaughtUp');
    for (const stream of [all, one, replay]) await stream.end();
    const { errors } = await (await gateway.subscribe(CancellationConfirmationsDocument, { customerId: '' })).next();
    expect(errors[0].extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'customerId' });
  });

  test('a quiet stream says FeedCheckpoint: the log went on, resume here', async () => {
    const stream = await gateway.subscribe(ActivityFeedDocument, { filter: { actor: 'nobody@partner.example' } });
    const { cursor: before } = await stream.nextOf('FeedCaughtUp');
    await purchase();
    const end = (await edgesOf()).at(-1)?.cursor as string;
    expect(isUpTo(end, before)).toBe(false);
    for (let cursor = before; cursor !== end; ) ({ cursor } = await stream.nextOf('FeedCheckpoint'));
    await stream.end();
    const resumed = await gateway.subscribe(ActivityFeedDocument, { after: end });
    expect((await resumed.next()).data.activity).toEqual({ __typename: 'FeedCaughtUp', cursor: end });
    await resumed.end();
  });

  test('a gateway that stops says FeedDraining with a cursor, closes with 1012, and another resumes there without a gap', async () => {
    const stopping = await testDatabase();
    const first = await startTestGateway({ database: stopping });
    await stockShop(first);
    const customer = await aCustomer(first);
    // A client library closes a socket that has no stream left by itself, maybe before the gateway does.
    const raw = await openAcknowledged(first, await first.token('GLOBAL_ADMIN'));
    raw.send({ id: '1', type: 'subscribe', payload: { query: String(ActivityFeedDocument) } });
    const said = async () => (await raw.next()).payload.data.activity;
    expect((await said()).__typename).toBe('FeedCaughtUp');
    await buy(first, customer, [{ ...skus.perpetual, quantity: 1 }]);
    await said();
    const { cursor } = await said();
    const stopped = restart(first, stopping, {});
    const draining = await said();
    const closed = await raw.closed;
    const second = await stopped;
    const { number } = await buy(second, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const resumed = await second.subscribe(ActivityFeedDocument, { after: draining.cursor });
    const { entry } = await resumed.nextOf('ActivityRecorded');
    await resumed.end();
    await second.stop();
    expect([draining, closed.code]).toEqual([{ __typename: 'FeedDraining', cursor }, 1012]);
    expect(entry.resource.label).toBe(number);
  });
});
