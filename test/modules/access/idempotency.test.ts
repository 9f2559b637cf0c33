import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { buildSchema, type GraphQLInputObjectType, getNamedType, isInputObjectType, isNonNullType } from 'graphql';
import pg from 'pg';
import { CancelOrderDocument, PurchaseDocument, SubmitSupportRequestDocument } from '../../generated/graphql.js';
import { engine, serverUrl } from '../../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';

const DAY = 86_400_000;
/** Needs a second connection to the database while the first is busy; the embedded engine has but one. */
const testOnServer = serverUrl ? test : test.skip;
if (!serverUrl) console.info('Idempotency with several connections is tested on a server only: set TEST_DATABASE_URL.');

describe(`idempotency keys, on ${engine}`, () => {
  let gateway: TestGateway;
  let clock: Date;
  beforeAll(async () => {
    gateway = await startTestGateway({ now: () => clock, config: { fulfilmentDelayMs: 3_600_000 } });
    await stockShop(gateway);
  });
  beforeEach(() => {
    clock = new Date('2026-07-15T10:00:00Z');
  });
  afterAll(() => gateway.stop());

  const purchase = async (
    customer: TestCustomer,
    key: string,
    {
      quantity = 1,
      as = 'ADMIN_AGENT' as Caller,
      ...more
    }: { quantity?: number; as?: Caller; currency?: string | null } = {},
  ) => {
    const lines = [{ ...skus.perpetual, quantity }];
    const input = { idempotencyKey: key, customerId: customer.id, lines, ...more };
    const { data, errors } = await gateway.run(PurchaseDocument, { input }, as);
    expect(errors).toBeUndefined();
    return data.purchase;
  };
  const effects = async (customer: TestCustomer) => {
    const [counts] = await gateway.sql(
      `select (select count(*)::int from orders where customer_id = ?) as orders,
        (select count(*)::int from activity_entries where customer_id = ?) as entries,
        (select count(*)::int from invoice_lines l join invoices i on i.id = l.invoice_id where i.customer_id = ?) as charges`,
      Array(3).fill(customer.rowId),
    );
    return counts;
  };
  const once = { orders: 1, entries: 2, charges: 1 };
  const twice = { orders: 2, entries: 4, charges: 2 };

  test('rule 5: the same key and input get the first answer again: one order, one entry, one charge', async () => {
    const customer = await aCustomer(gateway);
    const key = randomUUID();
    const first = await purchase(customer, key);
    expect(first).toMatchObject({ __typename: 'PurchaseSuccess', order: { total: { amount: '13748.00' } } });
    expect(await purchase(customer, key)).toEqual(first);
    expect(await purchase(customer, key, { currency: null })).toEqual(first);
    expect(await effects(customer)).toEqual(once);
  });

  test('rule 5: the same key with another input is refused and changes nothing', async () => {
    const customer = await aCustomer(gateway);
    const key = randomUUID();
    const first = await purchase(customer, key);
    const reused = { __typename: 'IdempotencyKeyReused', code: 'IDEMPOTENCY_KEY_REUSED' };
    expect(await purchase(customer, key, { quantity: 2 })).toMatchObject(reused);
    expect(await purchase(customer, key, { currency: 'USD' })).toMatchObject(reused);
    expect(await purchase(await aCustomer(gateway), key)).toMatchObject(reused);
    expect(await purchase(customer, key)).toEqual(first);
    expect(await effects(customer)).toEqual(once);
  });

  test('rule 5: twenty repeats at once make one order; each answer is that order or RequestInProgress, and a retry gets it', async () => {
    const customer = await aCustomer(gateway);
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => purchase(customer, key)));
    const settled = await purchase(customer, key);
    expect(settled?.__typename).toBe('PurchaseSuccess');
    for (const answer of answers) {
      if (answer?.__typename !== 'RequestInProgress') expect(answer).toEqual(settled);
    }
    expect(answers).toContainEqual(settled);
    expect(await effects(customer)).toEqual(once);
  });

  test('rule 5: a key is kept for 40 days at least, and is free again some day', async () => {
    const customer = await aCustomer(gateway);
    const key = randomUUID();
    const first = await purchase(customer, key);
    clock = new Date(clock.getTime() + 40 * DAY);
    expect(await purchase(customer, key)).toEqual(first);
    expect((await purchase(customer, key, { quantity: 2 }))?.__typename).toBe('IdempotencyKeyReused');
    clock = new Date(clock.getTime() + 20 * DAY);
    const second = await purchase(customer, key, { quantity: 2 });
    expect(second).toMatchObject({ __typename: 'PurchaseSuccess', order: { lines: [{ quantity: 2 }] } });
    expect(await purchase(customer, key, { quantity: 2 })).toEqual(second);
    expect(await effects(customer)).toEqual(twice);
  });

  test('rule 5: a refusal leaves the key free for any input', async () => {
    const customer = await aCustomer(gateway);
    const key = randomUUID();
    expect((await purchase(customer, key, { quantity: 10_001 }))?.__typename).toBe('QuantityOutOfBounds');
    expect((await purchase(customer, key, { currency: 'XXX' }))?.__typename).toBe('PriceNotFound');
    expect((await purchase(customer, key))?.__typename).toBe('PurchaseSuccess');
    expect(await effects(customer)).toEqual(once);
  });

  test("rule 5: a key is the caller's own: two people may use the same one", async () => {
    const customer = await aCustomer(gateway);
    const key = randomUUID();
    const colleague = { token: await gateway.token('ADMIN_AGENT', { user: 'bruno@partner.example' }) };
    const [mine, theirs] = [await purchase(customer, key), await purchase(customer, key, { as: colleague })];
    expect(theirs).toMatchObject({ __typename: 'PurchaseSuccess', order: { placedBy: 'bruno@partner.example' } });
    expect(mine).not.toEqual(theirs);
    expect(await effects(customer)).toEqual(twice);
  });

  test('rule 5: cancelOrder and submitSupportRequest keep their keys likewise, each its own', async () => {
    const customer = await aCustomer(gateway);
    const key = randomUUID();
    expect((await purchase(customer, key))?.__typename).toBe('PurchaseSuccess');
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const cancel = async (changed = {}) => {
      const input = { idempotencyKey: key, orderId: order.id, acknowledged: true, ...changed };
      return (await gateway.run(CancelOrderDocument, { input }, 'ADMIN_AGENT')).data.cancelOrder;
    };
    const first = await cancel();
    expect(first?.__typename).toBe('CancelOrderSuccess');
    expect(await cancel()).toEqual(first);
    expect((await cancel({ reason: 'another' }))?.__typename).toBe('IdempotencyKeyReused');
    expect((await cancel({ acknowledged: false }))?.__typename).toBe('IdempotencyKeyReused');
    expect(await gateway.sql('select status from cancellations where customer_id = ?', [customer.rowId])).toHaveLength(
      1,
    );

    const contact = { name: 'Anna', email: 'anna@partner.example', phone: '+1 425 555 0100' };
    const submit = async (title: string) => {
      const topic = 'CSP Purchase/Refund on behalf of customers';
      const input = {
        idempotencyKey: key,
        customerId: customer.id,
        topic,
        impact: 'MINIMAL' as const,
        title,
        description: 'd',
        contact,
      };
      const { data } = await gateway.run(SubmitSupportRequestDocument, { input }, 'ADMIN_AGENT');
      return data.submitSupportRequest;
    };
    const asked = await submit('a');
    if (asked?.__typename !== 'SubmitSupportRequestSuccess') throw new Error(JSON.stringify(asked));
    expect(await submit('a')).toMatchObject({ supportRequest: asked.supportRequest });
    expect((await submit('b'))?.__typename).toBe('IdempotencyKeyReused');
  });

  describe('an optional field that is null is one that is left out', () => {
    /** For each input that has an idempotency key, one that its mutation takes. */
    const inputs: Record<string, (customer: TestCustomer) => Promise<Record<string, unknown>>> = {
      PurchaseInput: async (customer) => ({ customerId: customer.id, lines: [{ ...skus.perpetual, quantity: 1 }] }),
      CancelOrderInput: async (customer) => {
        const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
        return { orderId: order.id, acknowledged: true };
      },
      SubmitSupportRequestInput: async (customer) => ({
        customerId: customer.id,
        topic: 'CSP Purchase/Refund on behalf of customers',
        impact: 'MINIMAL',
        title: 't',
        description: 'd',
        contact: { name: 'Anna', email: 'anna@partner.example', phone: '+1 425 555 0100' },
      }),
      UpdateSupportRequestInput: async (customer) => {
        const input = { idempotencyKey: randomUUID(), ...(await inputs['SubmitSupportRequestInput']?.(customer)) };
        const { data } = await gateway.run(String(SubmitSupportRequestDocument), { input }, 'ADMIN_AGENT');
        return { supportRequestId: data.submitSupportRequest.supportRequest.id, note: 'n', status: 'ATTENTION_NEEDED' };
      },
    };
    const graph = buildSchema(readFileSync('schema/schema.graphql', 'utf8'));
    const mutations = Object.values(graph.getMutationType()?.getFields() ?? {}).flatMap(({ name, args }) => {
      const type = getNamedType(args[0]?.type);
      return isInputObjectType(type) && type.getFields()['idempotencyKey'] ? [{ name, type }] : [];
    });

    /** Copies of an input, each with one field that may be null and is not there, at whatever depth. */
    function* withNulls(type: GraphQLInputObjectType, input: Record<string, unknown>): Generator<object> {
      for (const [name, field] of Object.entries(type.getFields())) {
        const value = input[name];
        if (value === undefined && !isNonNullType(field.type)) yield { ...input, [name]: null };
        const inner = getNamedType(field.type);
        if (!isInputObjectType(inner) || !value) continue;
        const parts = [value].flat() as Record<string, unknown>[];
        for (const part of parts)
          for (const changed of withNulls(inner, part))
            yield {
              ...input,
              [name]: Array.isArray(value) ? parts.map((one) => (one === part ? changed : one)) : changed,
            };
      }
    }

    test('the mutations with a key are known', () => {
      expect(mutations.map(({ type }) => type.name).sort()).toEqual(Object.keys(inputs).sort());
    });

    test.each(mutations)('rule 5: $name', async ({ name, type }) => {
      const send = async (input: object) => {
        const document = `mutation ($input: ${type.name}!) { ${name}(input: $input) { __typename } }`;
        const { data, errors } = await gateway.run(document, { input }, 'ADMIN_AGENT');
        expect(errors).toBeUndefined();
        return data[name].__typename;
      };
      const input = { idempotencyKey: randomUUID(), ...(await inputs[type.name]?.(await aCustomer(gateway))) };
      const success = `${name[0]?.toUpperCase()}${name.slice(1)}Success`;
      expect(await send(input)).toBe(success);
      for (const changed of withNulls(type, input)) expect([changed, await send(changed)]).toEqual([changed, success]);
    });

    test('rule 5: the first request may have the null as well as the second', async () => {
      const customer = await aCustomer(gateway);
      const lines = (more = {}) => [{ ...skus.perpetual, quantity: 1, ...more }];
      const send = async (input: object) =>
        (
          await gateway.run(
            PurchaseDocument,
            { input: { idempotencyKey: key, customerId: customer.id, ...input } as never },
            'ADMIN_AGENT',
          )
        ).data.purchase;
      const key = randomUUID();
      const first = await send({ lines: lines({ termDuration: null, billingPlan: null }), currency: null });
      expect(first?.__typename).toBe('PurchaseSuccess');
      expect(await send({ lines: lines() })).toEqual(first);
      expect(await send({ lines: lines({ billingPlan: 'ONE_TIME' }) })).toMatchObject({
        code: 'IDEMPOTENCY_KEY_REUSED',
      });
      expect(await effects(customer)).toEqual(once);
    });
  });

  describe('with several connections (server only)', () => {
    let other: pg.Client;
    beforeAll(async () => {
      if (!serverUrl) return;
      const { database } = gateway.gateway.services.config;
      if (database.kind !== 'server') throw new Error('no server');
      other = new pg.Client(database.url);
      await other.connect();
      await other.query(
        `create function wait_for_test() returns trigger as $$ begin perform pg_advisory_xact_lock(42); return new; end; $$ language plpgsql`,
      );
      await other.query(
        `create trigger wait_for_test before insert on orders for each row execute function wait_for_test()`,
      );
    });
    afterAll(() => other?.end());

    /** Starts a purchase and waits until its transaction stands still; answers it with the database's process. */
    const stuck = async (customer: TestCustomer, key: string) => {
      await other.query('select pg_advisory_lock(42)');
      const input = { idempotencyKey: key, customerId: customer.id, lines: [{ ...skus.perpetual, quantity: 1 }] };
      const answer = gateway.run(PurchaseDocument, { input }, 'ADMIN_AGENT');
      for (;;) {
        const { rows } = await other.query(
          `select pid from pg_locks where locktype = 'advisory' and objid = 42 and not granted and database = (select oid from pg_database where datname = current_database())`,
        );
        if (rows[0]) return { answer, pid: rows[0].pid as number };
      }
    };

    testOnServer(
      'rule 5: while the first request is in flight the same key is told so, and then gets its answer',
      async () => {
        const customer = await aCustomer(gateway);
        const key = randomUUID();
        const first = await stuck(customer, key);
        expect(await purchase(customer, key)).toMatchObject({
          __typename: 'RequestInProgress',
          code: 'REQUEST_IN_PROGRESS',
        });
        await other.query('select pg_advisory_unlock(42)');
        const { data } = await first.answer;
        expect(data.purchase?.__typename).toBe('PurchaseSuccess');
        expect(await purchase(customer, key)).toEqual(data.purchase);
        expect(await effects(customer)).toEqual(once);
      },
    );

    testOnServer(
      'rule 5: a request that was cut off in flight leaves nothing behind, and its key works at once',
      async () => {
        const customer = await aCustomer(gateway);
        const key = randomUUID();
        const first = await stuck(customer, key);
        await other.query('select pg_cancel_backend($1)', [first.pid]);
        expect((await first.answer).errors).toMatchObject([{ extensions: { code: 'TIMEOUT' } }]);
        await other.query('select pg_advisory_unlock(42)');
        expect(await effects(customer)).toEqual({ orders: 0, entries: 0, charges: 0 });
        expect((await purchase(customer, key))?.__typename).toBe('PurchaseSuccess');
        expect(await effects(customer)).toEqual(once);
      },
    );
  });
});
