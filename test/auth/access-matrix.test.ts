import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import { Role } from '../../src/auth/role.js';
import { toGlobalId } from '../../src/domain/global-id.js';
import { accessRules } from '../../src/schema/access-rules.js';
import { buildGraph } from '../../src/schema/build-schema.js';
import { CancelOrderDocument } from '../generated/graphql.js';
import { engine } from '../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../support/gateway.js';
import { type NamedOperation, namedOperations, refusedPaths, valuesAt } from '../support/operations.js';
import { aCustomer, buy, keysToStore, skus, stockShop, type TestCustomer } from '../support/shop.js';
import { adminOf, buySoftware, cancelAndConfirm, linkOf, settled, type TestSoftware } from '../support/software.js';

/**
 * Who is refused what: role, operation, response path, code. Made by `UPDATE_ACCESS_MATRIX=1 npm run jest --
 * test/auth/access-matrix.test.ts`; to be read before it is committed.
 */
const file = join(import.meta.dirname, 'access-matrix.json');
type Matrix = Record<string, Record<string, Record<string, string>>>;

describe(`who may read what, on ${engine}`, () => {
  let gateway: TestGateway;
  let schema: GraphQLSchema;
  let customer: TestCustomer;
  let software: TestSoftware;
  let beginning: string;
  beforeAll(async () => {
    schema = await buildGraph();
    gateway = await startTestGateway();
    await stockShop(gateway);
    customer = await aCustomer(gateway);
    software = await buySoftware(gateway, customer);
    await fetch((await linkOf(gateway, software)).url);
    await cancelAndConfirm(gateway, await buySoftware(gateway, customer));
    await settled(gateway);
    const { data } = await gateway.run('{ activity(first: 1) { pageInfo { endCursor } } }');
    beginning = data.activity.pageInfo.endCursor;
  });
  afterAll(() => gateway.stop());

  /** What mutations are sent; each time anew, so that none is a repetition. */
  const inputs: Record<string, () => Promise<object>> = {
    Purchase: async () => ({
      idempotencyKey: randomUUID(),
      customerId: customer.id,
      lines: [{ ...skus.perpetual, quantity: 1 }],
    }),
    PurchasePreview: async () => ({ customerId: customer.id, lines: [{ ...skus.perpetual, quantity: 1 }] }),
    CancelOrder: async () => ({
      idempotencyKey: randomUUID(),
      orderId: (await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }])).id,
      acknowledged: true,
    }),
    RevealProductKey: async () => ({ entitlementId: software.entitlementId, version: software.choice.version }),
    CreateDownloadLink: async () => ({ entitlementId: software.entitlementId, ...software.choice }),
    SubmitSupportRequest: async () => ({
      idempotencyKey: randomUUID(),
      customerId: customer.id,
      topic: 'CSP Purchase/Refund on behalf of customers',
      impact: 'MINIMAL',
      title: 'title',
      description: 'description',
      contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
    }),
    UpdateSupportRequest: async () => ({
      idempotencyKey: randomUUID(),
      supportRequestId: toGlobalId('SupportRequest', randomUUID()),
      note: 'A note.',
    }),
    RevokeAccess: async () => ({ userPrincipalName: 'somebody@partner.example' }),
    RestoreAccess: async () => ({ userPrincipalName: 'somebody@partner.example' }),
    StoreProductKeys: async () => keysToStore(),
    EndSession: async () => ({ sessionId: toGlobalId('Session', randomUUID()) }),
    RetryJob: async () => ({ jobId: toGlobalId('Job', randomUUID()) }),
    GiveUpJob: async () => ({ jobId: toGlobalId('Job', randomUUID()), reason: 'Not today' }),
  };
  /** What other required variables are, by their names. */
  const named = (): Record<string, unknown> => ({
    id: software.order.id,
    orderId: software.order.id,
    customerId: customer.id,
    domain: customer.domain,
    by: { domain: customer.domain },
    kind: 'AZURE_RESERVATION',
    groupBy: ['CUSTOMER', 'KIND', 'MARKET', 'MONTH', 'PRODUCT'],
    productId: skus.perpetual.productId,
    market: 'US',
    ids: [customer.id, software.order.id, software.entitlementId],
  });

  async function variablesOf({ name, document }: NamedOperation): Promise<Record<string, unknown>> {
    const [operation] = document.definitions.filter((definition) => definition.kind === 'OperationDefinition');
    const variables: Record<string, unknown> = {};
    for (const { variable, type, defaultValue } of (operation as OperationDefinitionNode).variableDefinitions ?? []) {
      const { value } = variable.name;
      if (type.kind !== 'NonNullType' || defaultValue) continue;
      variables[value] = value === 'input' ? await inputs[name]?.() : named()[value];
      if (variables[value] === undefined) throw new Error(`say here what ${name} is sent as $${value}`);
    }
    return variables;
  }

  /** Errors and data of an operation; of a stream those of its replay together. */
  async function answerOf(operation: NamedOperation, as: Caller | null) {
    const variables = await variablesOf(operation);
    if (operation.kind !== 'subscription') return gateway.run(operation.text, variables, as);
    const stream = await gateway.subscribe(operation.text, { ...variables, after: beginning }, as as Caller);
    const data: unknown[] = [];
    const errors: unknown[] = [];
    for (let message = await stream.next(); message; message = await stream.next()) {
      errors.push(...(message.errors ?? []));
      data.push(message.data);
      if (JSON.stringify(message).includes('"FeedCaughtUp"')) break;
    }
    await stream.end();
    return { data, errors };
  }

  test('rules 4, 9, 12, 21 and 23: every role and every named operation, as committed in access-matrix.json', async () => {
    const callers: [string, Caller | null][] = [
      ['ANONYMOUS', null],
      ...Object.values(Role).map((role): [string, Caller] => [role, role]),
    ];
    const matrix: Matrix = {};
    for (const [name, caller] of callers) {
      const row: Matrix[string] = {};
      for (const operation of namedOperations()) {
        const as = name === 'CUSTOMER_ADMIN' ? await adminOf(gateway, customer) : caller;
        const { data, errors = [] } = await answerOf(operation, as);
        const where = `${name} ${operation.name}: ${JSON.stringify(errors)}`;
        for (const error of errors as { extensions: { coordinate?: string } }[])
          if (!error.extensions.coordinate) throw new Error(where);
        const refused = refusedPaths(schema, operation, errors as never);
        if (errors.length > 0 && Object.keys(refused).length === 0) throw new Error(where);
        for (const path of Object.keys(refused)) {
          const values = Array.isArray(data) ? data.flatMap((one) => valuesAt(one, path)) : valuesAt(data, path);
          if (values.some((value) => value !== null)) throw new Error(`not null at ${path}: ${where}`);
        }
        row[operation.name] = refused;
      }
      matrix[name] = row;
    }
    if (process.env['UPDATE_ACCESS_MATRIX']) writeFileSync(file, `${JSON.stringify(matrix, null, 2)}\n`);
    expect(matrix).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });

  test('without a token the viewer and the markets answer, and nothing else', () => {
    const open = Object.entries(accessRules).filter(([, { roles }]) => roles === 'everyone');
    expect(open.map(([coordinate]) => coordinate).sort()).toEqual(['Market', 'Query.markets', 'Query.viewer']);
  });

  test.each([
    ['a root field', 'Mutation.purchase'],
    ['a subscription', 'Subscription.activity'],
    ['a type with ids', 'Invoice'],
  ])('%s that the table does not name stops the start', async (_what, coordinate) => {
    const { [coordinate]: _, ...rules } = accessRules;
    await expect(buildGraph(rules)).rejects.toThrow(`The table of access does not say who may use: ${coordinate}`);
    await expect(buildGraph({ ...rules, [coordinate]: { meant: 'nothing' } })).rejects.toThrow(coordinate);
  });

  test.each(['Query.order5', 'Ordr', 'Order.totall', 'Money.amount.x', 'CustomerBy.id'])(
    '%s, which is nothing of the schema, stops the start',
    async (coordinate) => {
      const rules = { ...accessRules, [coordinate]: { roles: 'everyone' as const } };
      await expect(buildGraph(rules)).rejects.toThrow(`names what is not in the schema: ${coordinate}`);
    },
  );

  test('what the contract says of roles is what the table says', () => {
    const said: Record<string, string[]> = {};
    for (const type of parse(readFileSync('schema/schema.graphql', 'utf8')).definitions) {
      if (type.kind !== 'ObjectTypeDefinition') continue;
      for (const node of [type, ...(type.fields ?? [])]) {
        const directive = node.directives?.find(({ name }) => name.value === 'auth');
        const value = directive?.arguments?.[0]?.value;
        if (value?.kind !== 'ListValue') continue;
        const coordinate = node === type ? type.name.value : `${type.name.value}.${node.name.value}`;
        said[coordinate] = value.values.map((role) => ('value' in role ? String(role.value) : ''));
      }
    }
    const guarded = Object.entries(accessRules).filter(([, { roles }]) => roles && roles !== 'everyone');
    expect(said).toEqual(Object.fromEntries(guarded.map(([coordinate, { roles }]) => [coordinate, roles])));
  });

  test('features 7: guarded fields are nullable, so that a refusal leaves the rest of the answer standing', () => {
    const { accessTable } = gateway.gateway.services;
    const torn: string[] = [];
    for (const type of Object.values(schema.getTypeMap())) {
      if (!isObjectType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        const coordinate = `${type.name}.${field.name}`;
        const { roles = 'everyone' } = accessTable.rule(coordinate) ?? {};
        // A stream that is refused never begins: there is no answer to tear.
        if (roles !== 'everyone' && isNonNullType(field.type) && type.name !== 'Subscription') torn.push(coordinate);
      }
    }
    expect(torn).toEqual([]);
  });

  test('features 7: whoever reaches a field that cannot be null also reaches the type behind it', () => {
    const { accessTable } = gateway.gateway.services;
    const torn: string[] = [];
    for (const role of Object.values(Role)) {
      const access = accessTable.for([role]);
      const reached = new Set<GraphQLObjectType>([schema.getQueryType(), schema.getMutationType()] as never);
      reached.add(schema.getSubscriptionType() as GraphQLObjectType);
      // A set goes on with what is added while it is walked.
      for (const type of reached) {
        for (const field of Object.values(type.getFields())) {
          if (access.denies(type.name, field.name)) continue;
          const behind = getNamedType(field.type);
          if (!isCompositeType(behind)) continue;
          const members = isAbstractType(behind) ? schema.getPossibleTypes(behind) : [behind];
          for (const member of members as GraphQLObjectType[]) {
            if (!access.denies(member.name)) reached.add(member);
            else if (isNonNullType(field.type)) torn.push(`${role} at ${type.name}.${field.name}`);
          }
        }
      }
    }
    expect(torn).toEqual([]);
  });

  test('rule 12: quote and cancellation are for ADMIN_AGENT only, also where a partner’s person has other roles', async () => {
    const input = { idempotencyKey: randomUUID(), orderId: software.order.id, acknowledged: true };
    for (const role of Object.values(Role).filter((other) => other !== 'ADMIN_AGENT')) {
      const { data, errors } = await gateway.run(CancelOrderDocument, { input }, role);
      expect([data, errors?.map((error) => error.extensions.code)]).toEqual([{ cancelOrder: null }, ['FORBIDDEN']]);
    }
  });
});
