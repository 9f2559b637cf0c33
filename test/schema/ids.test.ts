import { randomUUID } from 'node:crypto';
import { gql, InMemoryCache } from '@apollo/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kind, type OperationDefinitionNode, parse, print, visit } from 'graphql';
import { toGlobalId } from '../../src/domain/global-id.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { namedOperations } from '../support/operations.js';
import { buy, keysToStore, skus, stockShop } from '../support/shop.js';
import { settled } from '../support/software.js';
import { aTenant, type TestTenant } from '../support/tenants.js';

/** The document with `__typename` in every selection, as stores of clients send it. */
const typed = (text: string) =>
  print(
    visit(parse(text), {
      SelectionSet: (set, _key, parent) =>
        (parent as { kind?: string }).kind === Kind.OPERATION_DEFINITION
          ? undefined
          : {
              ...set,
              selections: [...set.selections, { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }],
            },
    }),
  );

/** Every object of an answer that has an id. */
function identified(value: unknown): { id: string; __typename: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(identified);
  return 'id' in value ? [value as { id: string; __typename: string }, ...inner] : inner;
}

describe(`ids in the stores of clients, on ${engine}`, () => {
  let gateway: TestGateway;
  let tenant: TestTenant;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    tenant = await aTenant(gateway);
  });
  afterAll(() => gateway.stop());

  /** What operations are sent, by their variables' names; a mutation's input by the mutation's. */
  const values = async (): Promise<Record<string, unknown>> => {
    const { customer, choice, entitlementId, order } = tenant;
    const key = { idempotencyKey: randomUUID() };
    return {
      id: order.id,
      orderId: order.id,
      domain: customer.domain,
      by: { domain: customer.domain },
      kind: 'AZURE_RESERVATION',
      groupBy: ['CUSTOMER', 'MARKET', 'PRODUCT'],
      productId: skus.perpetual.productId,
      market: 'US',
      Purchase: { ...key, customerId: customer.id, lines: [{ ...skus.perpetual, quantity: 1 }] },
      PurchasePreview: { customerId: customer.id, lines: [{ ...skus.perpetual, quantity: 1 }] },
      CancelOrder: {
        ...key,
        orderId: (await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }])).id,
        acknowledged: true,
      },
      RevealProductKey: { entitlementId, version: choice.version },
      CreateDownloadLink: { entitlementId, ...choice },
      SubmitSupportRequest: {
        ...key,
        customerId: customer.id,
        topic: 'CSP Purchase/Refund on behalf of customers',
        impact: 'MINIMAL',
        title: 'title',
        description: 'description',
        contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
      },
      UpdateSupportRequest: { ...key, supportRequestId: tenant.ids.SupportRequest, note: 'A note.' },
      RevokeAccess: { userPrincipalName: 'somebody@partner.example' },
      RestoreAccess: { userPrincipalName: 'somebody@partner.example' },
      StoreProductKeys: keysToStore(),
      EndSession: { sessionId: toGlobalId('Session', randomUUID()) },
      RetryJob: { jobId: toGlobalId('Job', randomUUID()) },
      GiveUpJob: { jobId: toGlobalId('Job', randomUUID()), reason: 'Not today' },
    };
  };

  test('an id is that of one object in all answers, and node finds an object of its type', async () => {
    const types = new Map<string, string>();
    const { data: start } = await gateway.run('{ activity(first: 1) { pageInfo { endCursor } } }');
    const heard = (answer: unknown) => {
      for (const { id, __typename } of identified(answer)) {
        expect([id, types.get(id) ?? __typename]).toEqual([id, __typename]);
        types.set(id, __typename);
      }
    };
    for (const { name, kind, document, text } of namedOperations()) {
      const given = await values();
      const operation = document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
      const variables = Object.fromEntries(
        ((operation as OperationDefinitionNode).variableDefinitions ?? [])
          .filter(({ type, defaultValue }) => type.kind === Kind.NON_NULL_TYPE && !defaultValue)
          .map(({ variable }) => [
            variable.name.value,
            given[variable.name.value === 'input' ? name : variable.name.value],
          ]),
      );
      if (kind === 'subscription') {
        await settled(gateway);
        const stream = await gateway.subscribe(typed(text), { after: start.activity.pageInfo.endCursor });
        for (let message = await stream.next(); message; message = await stream.next()) {
          expect([name, message.errors]).toEqual([name, undefined]);
          heard(message.data);
          if (JSON.stringify(message).includes('"FeedCaughtUp"')) break;
        }
        await stream.end();
        continue;
      }
      const as = /^(CancelOrder|CancellationQuote|RevealProductKey|CreateDownloadLink)$/.test(name)
        ? 'ADMIN_AGENT'
        : 'GLOBAL_ADMIN';
      const { data, errors } = await gateway.run(typed(text), variables, as);
      expect([name, errors]).toEqual([name, undefined]);
      heard(data);
    }
    expect([...new Set(types.values())].sort()).toEqual([
      'ActivityEntry',
      'Cancellation',
      'CancellationLine',
      'Customer',
      'Entitlement',
      'Invoice',
      'InvoiceLine',
      'Market',
      'Order',
      'OrderLine',
      'Price',
      'Product',
      'Reconciliation',
      'ReconciliationLine',
      'Sku',
      'SoftwareVersion',
      'SupportFile',
      'SupportRequest',
    ]);
    const ids = [...types.keys()];
    for (let at = 0; at < ids.length; at += 100) {
      const asked = ids.slice(at, at + 100);
      const { data } = await gateway.run('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', { ids: asked });
      expect(data.nodes).toEqual(asked.map((id) => ({ __typename: types.get(id), id })));
    }
  });

  test.each([
    [
      'order lines',
      (fields: string) => `order(by: { id: "${tenant.order.id}" }) { id lines { ${fields} } }`,
      'quantity',
      'status',
    ],
    ['invoice lines', (fields: string) => `invoices { nodes { id lines { ${fields} } } }`, 'quantity', 'description'],
    ['files', (fields: string) => `supportRequests { nodes { id files { ${fields} } } }`, 'name', 'size'],
    ['markets', (fields: string) => `markets { ${fields} }`, 'code', 'name'],
    [
      'software versions',
      (fields: string) => `product(productId: "DG7GMGF0FKZV") { id skus { id softwareVersions { ${fields} } } }`,
      'version',
      'languages',
    ],
  ])(
    'Apollo Client: two components that select different fields of %s both have their answer',
    async (_of, read, one, other) => {
      const cache = new InMemoryCache();
      const documents = [one, other].map((field) => typed(`{ ${read(`id ${field}`)} }`));
      const answers: unknown[] = [];
      for (const document of documents) {
        const { data, errors } = await gateway.run(document, {}, 'ADMIN_AGENT');
        expect(errors).toBeUndefined();
        cache.writeQuery({ query: gql(document), data });
        answers.push(data);
      }
      // Where the second had taken what the first has, the first would ask again, then the second, and so on.
      expect(documents.map((document) => cache.readQuery({ query: gql(document) }))).toEqual(answers);
    },
  );

  test('Apollo Client: what an entry points at stays what it is', async () => {
    const document = `query ($id: ID!) { customer(by: { id: $id }) { id activity { nodes { id order { id number } resource { type nodeId label node { id ... on Order { status } } } } } } }`;
    const cache = new InMemoryCache({ possibleTypes: { Node: ['Order', 'Entitlement', 'SupportRequest'] } });
    const { data } = await gateway.run(typed(document), { id: tenant.customer.id });
    cache.writeQuery({ query: gql(typed(document)), variables: { id: tenant.customer.id }, data });
    expect(cache.extract()[`Order:${tenant.order.id}`]).toMatchObject({
      __typename: 'Order',
      id: tenant.order.id,
      number: tenant.order.number,
      status: 'COMPLETED',
    });
    expect(cache.readQuery({ query: gql(typed(document)), variables: { id: tenant.customer.id } })).toEqual(data);
  });
});
