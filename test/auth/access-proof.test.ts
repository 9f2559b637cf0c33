import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type GraphQLAbstractType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
} from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { idPrefixes, type NodeType, toGlobalId } from '../../src/domain/global-id.js';
import { type Asker, NOBODY } from '../../src/schema/access-report.js';
import { buildGraph } from '../../src/schema/build-schema.js';
import { callers, goldenTable } from '../support/access-table.js';
import { engine } from '../support/database.js';
import { openEvents } from '../support/event-stream.js';
import { type Caller, startTestGateway, type TestGateway } from '../support/gateway.js';
import { openAcknowledged } from '../support/raw-socket.js';
import {
  allAlong,
  countOf,
  DocumentParts,
  everyField,
  type FieldArguments,
  type Form,
  forms,
  keyOf,
  type Selection,
  waysFrom,
} from '../support/selections.js';
import { aJob, aReconciledLine, buy, keysToStore, skus, stockShop } from '../support/shop.js';
import { aTenant, type TestTenant } from '../support/tenants.js';
import { sessionsOf } from '../support/users.js';

/** What an operation answers. */
interface Outcome {
  // biome-ignore lint/suspicious/noExplicitAny: generated documents answer untyped data
  data?: any;
  errors?: { message: string; extensions: { code: string; coordinate?: string } }[] | undefined;
}
type Run = (query: string, variables: Record<string, unknown>) => Promise<Outcome>;

/** Everything is asked for that the schema has, and held against the committed table of access. */
describe(`the table of access, proved on ${engine}`, () => {
  const golden = goldenTable();
  let schema: GraphQLSchema;
  let gateway: TestGateway;
  let mine: TestTenant;
  let theirs: TestTenant;
  let catalogIds: Partial<Record<NodeType, string>>;
  let beginning: string;
  let all: { asker: Asker; as: Caller | null; doors: [string, Run][] }[];
  const clients: Client[] = [];
  let tried = 0;

  beforeAll(async () => {
    schema = await buildGraph();
    gateway = await startTestGateway();
    await stockShop(gateway);
    mine = await aTenant(gateway);
    theirs = await aTenant(gateway);
    const { data } = await gateway.run(
      `query ($order: ID!) { activity(first: 1) { pageInfo { endCursor } }
        order(by: { id: $order }) { market { id } lines { sku { id product { id } softwareVersions { id } price(market: "US") { id } } } } }`,
      { order: mine.order.id },
    );
    beginning = data.activity.pageInfo.endCursor;
    const [{ sku }] = data.order.lines;
    const watched = 'watched@partner.example';
    await openAcknowledged(gateway, await gateway.token('ADMIN_AGENT', { user: watched }));
    catalogIds = {
      Session: (await sessionsOf(gateway, watched, 1))[0]?.id as string,
      Job: await aJob(gateway, mine.order),
      Reconciliation: (await aReconciledLine(gateway, mine.ids.InvoiceLine)).Reconciliation,
      Market: data.order.market.id,
      Product: sku.product.id,
      Sku: sku.id,
      SoftwareVersion: sku.softwareVersions[0].id,
      Price: sku.price.id,
    };
    all = await Promise.all(
      (await callers(gateway, mine.customer)).map(async ([asker, caller]) => {
        const as = typeof caller === 'string' ? { token: await gateway.token(caller) } : caller;
        return {
          asker,
          as,
          doors: [['HTTP', overHttp(as)] as [string, Run], ['WebSocket', overSocket(as)] as [string, Run]],
        };
      }),
    );
  });
  afterAll(async () => {
    for (const client of clients) await client.dispose();
    await gateway.stop();
    process.stdout.write(`the table of access: ${tried} fields asked for, by role, form and transport\n`);
    expect(tried).toBeGreaterThan(50_000);
  });

  const overHttp =
    (as: Caller | null): Run =>
    (query, variables) =>
      gateway.run(query, variables, as);
  /** One socket for all that somebody asks. */
  const overSocket = (as: Caller | null): Run => {
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: as === null ? {} : { authorization: `Bearer ${(as as { token: string }).token}` },
      retryAttempts: 0,
      lazy: true,
      lazyCloseTimeout: 1_000,
    });
    clients.push(client);
    return (query, variables) =>
      new Promise((resolve, reject) => {
        let outcome: Outcome = {};
        client.subscribe(
          { query, variables },
          {
            next: (result) => {
              outcome = result as Outcome;
            },
            error: (errors) => (Array.isArray(errors) ? resolve({ errors: errors as never }) : reject(errors)),
            complete: () => resolve(outcome),
          },
        );
      });
  };

  const literal = (text: string) => ({ literal: JSON.stringify(text), value: text });
  /** Arguments that fields must have. */
  const fieldArguments = (): FieldArguments => ({
    'Query.customer': {
      by: { literal: `{ id: "${mine.customer.id}" }`, type: 'CustomerBy!', value: { id: mine.customer.id } },
    },
    'Query.order': { by: { literal: `{ id: "${mine.order.id}" }`, type: 'OrderBy!', value: { id: mine.order.id } } },
    'Query.product': { productId: { ...literal(skus.perpetual.productId), type: 'String!' } },
    'Query.cancellationQuote': { orderId: { ...literal(mine.order.id), type: 'ID!' } },
    'Query.sales': {
      groupBy: { literal: '[CUSTOMER, PRODUCT]', type: '[SalesDimension!]!', value: ['CUSTOMER', 'PRODUCT'] },
    },
    'Query.node': { id: { ...literal('mkt_US'), type: 'ID!' } },
    'Query.nodes': { ids: { literal: '["mkt_US"]', type: '[ID!]!', value: ['mkt_US'] } },
    'Query.purchasePreview': {
      input: {
        literal: `{ customerId: "${mine.customer.id}", lines: [{ productId: "${skus.perpetual.productId}", skuId: "${skus.perpetual.skuId}", quantity: 1 }] }`,
        type: 'PurchasePreviewInput!',
        value: { customerId: mine.customer.id, lines: [{ ...skus.perpetual, quantity: 1 }] },
      },
    },
    'Sku.price': { market: { ...literal('US'), type: 'String!' } },
    'Sku.prices': { market: { ...literal('US'), type: 'String!' } },
    'Subscription.activity': { after: { ...literal(beginning), type: 'String' } },
    'Subscription.cancellationConfirmed': { after: { ...literal(beginning), type: 'String' } },
  });
  /** Both doors for what is written plainly; how else it is written is read alike behind them, and takes turns. */
  let turn = 0;
  const doorsFor = <Door>(form: Form, doors: readonly Door[]): readonly Door[] => {
    if (form === 'plain') return doors;
    turn += 1;
    return [doors[turn % doors.length] as Door];
  };
  const mayUse = (asker: Asker) => (coordinate: string) =>
    golden.get(coordinate)?.[asker] !== '' && golden.has(coordinate);

  /**
   * Holds an answer against the table: what is refused is null and told by its coordinate, or by that of the type
   * behind it; nothing else is refused. What lies behind a refusal is not looked at: it is not there.
   */
  function judge(
    asker: Asker,
    where: string,
    asked: [key: string, Selection][],
    form: Form,
    { data, errors = [] }: Outcome,
    expected: ReadonlySet<string> = new Set(),
  ) {
    const told = new Set(errors.map(({ extensions }) => extensions.coordinate));
    const code = asker === NOBODY ? 'UNAUTHENTICATED' : 'FORBIDDEN';
    const strange = errors.filter(({ extensions }) => extensions.code !== code || !extensions.coordinate);
    const explained = new Set(expected);
    const wrong: string[] = strange.map(({ message, extensions }) => `${extensions.code}: ${message}`);
    const look = ({ type, picks }: Selection, objects: unknown[], key?: string): void => {
      const own = objects.filter(
        (object) => (object as { __typename?: string }).__typename === type.name || type.name === 'Query',
      );
      for (const { field, inside } of picks) {
        const coordinate = `${type.name}.${field.name}`;
        const values = own
          .flatMap((object) => (object as Record<string, unknown>)[key ?? keyOf(form, field)] ?? [])
          .flat();
        tried += 1;
        if (mayUse(asker)(coordinate)) {
          for (const one of inside)
            look(
              one,
              values.filter((value) => value !== null),
            );
          continue;
        }
        tried += inside.reduce((sum, one) => sum + countOf(one), 0);
        const reasons = [coordinate, getNamedType(field.type).name].filter((name) => told.has(name));
        for (const reason of reasons) explained.add(reason);
        if (reasons.length === 0) wrong.push(`${coordinate} is not refused`);
        if (values.some((value) => value !== null)) wrong.push(`${coordinate} is not null`);
      }
    };
    for (const [key, selection] of asked) look(selection, [data ?? {}], key);
    for (const name of told) if (name && !explained.has(name)) wrong.push(`${name} is refused, and should not be`);
    expect([asker, where, wrong]).toEqual([asker, where, []]);
  }

  /** Selections in as few documents as the limits of aliases, directives and root fields allow. */
  function documentsOf(selections: Selection[], form: Form): [key: string, Selection][][] {
    const most = form === 'alias' ? 28 : form === 'variable' ? 45 : 200;
    const documents: [string, Selection][][] = [];
    let weight = Number.POSITIVE_INFINITY;
    for (const selection of selections) {
      const own = countOf(selection) + 1;
      const last = documents.at(-1);
      if (!last || weight + own > most || last.length >= 20) {
        documents.push([[`t0`, selection]]);
        weight = own;
      } else {
        last.push([`t${last.length}`, selection]);
        weight += own;
      }
    }
    return documents;
  }

  /** Every object type that a query leads to: by a way that the asker may take where there is one, else by any. */
  function selectionsFor(asker: Asker): Selection[] {
    const query = schema.getQueryType() as GraphQLObjectType;
    const open = waysFrom(schema, query, mayUse(asker));
    const selections: Selection[] = Object.values(query.getFields()).map((field) => ({
      type: query,
      picks: [{ field, inside: [] }],
    }));
    for (const [type, way] of waysFrom(schema, query, () => true)) {
      if (type === query) continue;
      const allowed = open.get(type);
      // Nobody reads a field of what they cannot come to.
      if (!allowed)
        expect([
          asker,
          Object.keys(type.getFields()).filter(
            (name) => isOnlyBehindQuery(type) && mayUse(asker)(`${type.name}.${name}`),
          ),
        ]).toEqual([asker, []]);
      selections.push(allAlong(allowed ?? way, type));
    }
    return selections;
  }
  /** Types that mutations and subscriptions do not lead to by ways of their own. */
  const isOnlyBehindQuery = (type: GraphQLObjectType) =>
    ![schema.getMutationType(), schema.getSubscriptionType()].some(
      (root) => root && waysFrom(schema, root, () => true).has(type),
    );

  test.each(forms)(
    'every field that a query leads to, by every role and nobody, over HTTP and WebSocket: %s',
    async (form) => {
      for (const { asker, doors } of all) {
        for (const asked of documentsOf(selectionsFor(asker), form)) {
          const parts = new DocumentParts(schema, form, fieldArguments());
          const fields = asked
            .map(
              ([
                key,
                {
                  type,
                  picks: [pick],
                },
              ]) => pick && parts.pick(type, pick, key),
            )
            .join(' ');
          const text = parts.text('query', fields);
          for (const [door, run] of doorsFor(form, doors))
            judge(asker, `${door}: ${text}`, asked, form, await run(text, parts.variables));
        }
      }
    },
  );

  const nodeTypes = Object.keys(idPrefixes) as NodeType[];
  const idsOf = (tenant: TestTenant): Record<NodeType, string> =>
    ({ ...tenant.ids, ...catalogIds }) as Record<NodeType, string>;

  test.each(forms)('every type that has ids, by node and nodes, of the own tenant and another: %s', async (form) => {
    const query = schema.getQueryType() as GraphQLObjectType;
    const { node, nodes } = query.getFields();
    for (const { asker, doors } of all) {
      for (const tenant of [mine, theirs]) {
        const selections = nodeTypes.flatMap((type) =>
          [node, nodes].map((field) => ({
            type: query,
            picks: [{ field: field as never, inside: [everyField(schema.getType(type) as GraphQLObjectType)] }],
          })),
        );
        for (const asked of documentsOf(selections, form)) {
          const parts = new DocumentParts(schema, form, fieldArguments());
          const fields = asked.map(([key, { picks }]) => {
            const [pick] = picks as [Selection['picks'][number]];
            const id = idsOf(tenant)[pick.inside[0]?.type.name as NodeType];
            const args: FieldArguments[string] =
              pick.field === node
                ? { id: { ...literal(id), type: 'ID!' } }
                : { ids: { literal: `["${id}"]`, type: '[ID!]!', value: [id] } };
            return parts.pick(query, pick, key, args);
          });
          const text = parts.text('query', fields.join(' '));
          for (const [door, run] of doorsFor(form, doors)) {
            const { data = {}, errors = [] } = await run(text, parts.variables);
            const refused = new Set<string>();
            const reached: typeof asked = [];
            for (const [key, { picks }] of asked) {
              const [{ field, inside }] = picks as [Selection['picks'][number]];
              const { name } = (inside[0] as Selection).type;
              const cell = golden.get(`node(id:) of ${name}`)?.[asker];
              const isReached =
                cell === 'yes' || cell === 'every customer' || (cell === 'own tenant' && tenant === mine);
              const found = [data?.[key] ?? null].flat()[0];
              const where = `${door}: ${key} in ${text}`;
              expect([asker, where, found?.__typename]).toEqual([asker, where, isReached ? name : undefined]);
              if (cell !== '') reached.push([key, { type: query, picks }]);
              else refused.add(asker === NOBODY ? `Query.${field.name}` : name);
            }
            const told = new Set(errors.map(({ extensions }) => extensions.coordinate));
            expect([asker, text, [...refused].filter((name) => !told.has(name))]).toEqual([asker, text, []]);
            tried += asked.length - reached.length;
            judge(asker, `${door}: ${text}`, reached, form, { data, errors }, refused);
          }
        }
      }
    }
  });

  const aSession = async () => {
    const user = `${randomUUID()}@partner.example`;
    await openAcknowledged(gateway, await gateway.token('ADMIN_AGENT', { user }));
    return (await sessionsOf(gateway, user, 1))[0]?.id as string;
  };

  /** What each mutation is sent: what is not there, so that it is answered a problem, or what is. */
  async function inputs(
    isReal: boolean,
    mayEndSessions: boolean,
  ): Promise<Record<string, { type: string; value: object }>> {
    const missing = (type: NodeType) => toGlobalId(type, randomUUID());
    const customerId = isReal ? mine.customer.id : missing('Customer');
    const idempotencyKey = randomUUID();
    const somebody = `${randomUUID()}@partner.example`;
    // Known from now on.
    if (isReal)
      await gateway.run('{ viewer { roles } }', {}, { token: await gateway.token('SALES_AGENT', { user: somebody }) });
    const jobId = async () => (mayEndSessions ? aJob(gateway, mine.order) : missing('Job'));
    const sessionId = mayEndSessions ? await aSession() : missing('Session');
    const entitlementId = isReal ? mine.entitlementId : missing('Entitlement');
    const order = isReal ? await buy(gateway, mine.customer, [{ ...skus.perpetual, quantity: 1 }]) : null;
    return {
      purchase: {
        type: 'PurchaseInput!',
        value: { idempotencyKey, customerId, lines: [{ ...skus.perpetual, quantity: 1 }] },
      },
      cancelOrder: {
        type: 'CancelOrderInput!',
        value: { idempotencyKey, orderId: order?.id ?? missing('Order'), acknowledged: true },
      },
      revealProductKey: { type: 'RevealProductKeyInput!', value: { entitlementId, version: mine.choice.version } },
      createDownloadLink: { type: 'CreateDownloadLinkInput!', value: { entitlementId, ...mine.choice } },
      submitSupportRequest: {
        type: 'SubmitSupportRequestInput!',
        value: {
          idempotencyKey,
          customerId,
          topic: 'CSP Purchase/Refund on behalf of customers',
          impact: 'MINIMAL',
          title: 'title',
          description: 'description',
          contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
        },
      },
      updateSupportRequest: {
        type: 'UpdateSupportRequestInput!',
        value: {
          idempotencyKey,
          supportRequestId: isReal ? mine.ids.SupportRequest : missing('SupportRequest'),
          note: 'A note.',
        },
      },
      revokeAccess: { type: 'RevokeAccessInput!', value: { userPrincipalName: somebody } },
      restoreAccess: { type: 'RestoreAccessInput!', value: { userPrincipalName: somebody } },
      endSession: { type: 'EndSessionInput!', value: { sessionId } },
      storeProductKeys: {
        type: 'StoreProductKeysInput!',
        value: { ...keysToStore(), ...(isReal ? {} : { skuId: 'ZZZZ' }) },
      },
      retryJob: { type: 'RetryJobInput!', value: { jobId: await jobId() } },
      giveUpJob: { type: 'GiveUpJobInput!', value: { jobId: await jobId(), reason: 'Not today' } },
    };
  }

  /** A value as it stands in a document. */
  const printed = (value: unknown, name = ''): string => {
    if (Array.isArray(value)) return `[${value.map((one) => printed(one)).join(', ')}]`;
    if (typeof value === 'object' && value !== null)
      return `{ ${Object.entries(value)
        .map(([key, one]) => `${key}: ${printed(one, key)}`)
        .join(', ')} }`;
    return name === 'impact' ? String(value) : JSON.stringify(value);
  };

  test.each(forms)('every mutation and all that it answers, by every role and nobody: %s', async (form) => {
    const mutation = schema.getMutationType() as GraphQLObjectType;
    for (const { asker, doors } of all) {
      for (const [door, run] of doorsFor(form, doors)) {
        for (const isReal of form === 'plain' ? [false, true] : [false]) {
          const sent = await inputs(isReal, isReal && asker === 'GLOBAL_ADMIN');
          // From Z to A, so that access is taken away before it is given back.
          for (const field of Object.values(mutation.getFields()).sort((a, b) => (a.name < b.name ? 1 : -1))) {
            const input = sent[field.name];
            if (!input) throw new Error(`say here what ${field.name} is sent`);
            const behind = getNamedType(field.type);
            // The success is asked all that it leads to, each problem all that it says.
            const members = isAbstractType(behind) ? schema.getPossibleTypes(behind) : [];
            const inside = members
              .filter((member) => /Success$/.test(member.name) || form === 'plain')
              .map((member) =>
                everyField(member, ({ type }) => {
                  const of = getNamedType(type);
                  return isObjectType(of) ? [everyField(of)] : [];
                }),
              );
            const parts = new DocumentParts(schema, form, {
              ...fieldArguments(),
              [`Mutation.${field.name}`]: {
                input: { literal: printed(input.value), type: input.type, value: input.value },
              },
            });
            const pick = { field, inside };
            const text = parts.text('mutation', parts.pick(mutation, pick));
            const outcome = await run(text, parts.variables);
            const key = keyOf(form, field);
            const selection = { type: mutation, picks: [pick] };
            judge(asker, `${door}: ${text}`, [[key, selection]], form, {
              ...outcome,
              data: { __typename: 'Mutation', ...outcome.data },
            });
            if (mayUse(asker)(`Mutation.${field.name}`)) {
              const { __typename: answered } = outcome.data[key];
              expect([asker, door, field.name, isReal, /Success$/.test(answered)]).toEqual([
                asker,
                door,
                field.name,
                isReal,
                isReal,
              ]);
            }
          }
        }
      }
    }
  });

  test.each(forms)(
    'every subscription and what its messages hold, by every role and nobody, over WebSocket and SSE: %s',
    async (form) => {
      const subscription = schema.getSubscriptionType() as GraphQLObjectType;
      /** Two steps into what a message holds: enough for each type that it leads to. */
      const twoSteps = (type: GraphQLObjectType, steps = 2): Selection =>
        everyField(type, ({ type: behind }) => {
          const of = getNamedType(behind);
          if (steps === 0 || of.name === 'Node') return [];
          if (isObjectType(of)) return [twoSteps(of, steps - 1)];
          return isAbstractType(of) ? members(of) : [];
        });
      // One document cannot ask for the reason of both a denial, which is always there, and a cancellation.
      const members = (of: GraphQLAbstractType) =>
        schema
          .getPossibleTypes(of)
          .filter(({ name }) => name !== 'AccessDeniedDetail')
          .map((one) => twoSteps(one, 0));
      const wanted: Record<string, string> = {
        activity: 'ActivityRecorded',
        cancellationConfirmed: 'CancellationConfirmed',
      };
      for (const { asker, as, doors } of all) {
        for (const field of Object.values(subscription.getFields())) {
          const message = wanted[field.name];
          if (!message) throw new Error(`say here what ${field.name} brings`);
          const recorded = schema.getType(message) as GraphQLObjectType;
          // Within the limits of aliases and directives the entry itself is asked for, else what it leads to as well.
          const isSmall = form === 'alias' || form === 'variable';
          const pick = { field, inside: [twoSteps(recorded, isSmall ? 1 : 2)] };
          const parts = new DocumentParts(schema, form, fieldArguments());
          const text = parts.text('subscription', parts.pick(subscription, pick));
          const asked: [string, Selection][] = [[keyOf(form, field), { type: subscription, picks: [pick] }]];
          const overEvents = async (): Promise<Outcome> => {
            const events = await openEvents(gateway, { query: text, variables: parts.variables, as });
            const event = await events.next();
            events.end();
            return event?.data ?? {};
          };
          const overSockets = () => firstOf(as, text, parts.variables);
          expect(doors.length).toBe(2);
          for (const [door, first] of [
            ['WebSocket', overSockets],
            ['SSE', overEvents],
          ] as const) {
            const outcome = await first();
            const where = `${door}: ${text}`;
            judge(asker, where, asked, form, { ...outcome, data: { __typename: 'Subscription', ...outcome.data } });
            if (mayUse(asker)(`Subscription.${field.name}`))
              expect([asker, where, outcome.data?.[keyOf(form, field)]?.__typename]).toEqual([asker, where, message]);
          }
        }
      }
    },
  );

  /** The first message of a stream over a socket. */
  async function firstOf(as: Caller | null, query: string, variables: Record<string, unknown>): Promise<Outcome> {
    const client = createClient({
      url: `${gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: as === null ? {} : { authorization: `Bearer ${(as as { token: string }).token}` },
      retryAttempts: 0,
    });
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        client.subscribe(
          { query, variables },
          {
            next: (result) => resolve(result as Outcome),
            error: (errors) => (Array.isArray(errors) ? resolve({ errors: errors as never }) : reject(errors)),
            complete: () => resolve({}),
          },
        );
      });
    } finally {
      await client.dispose();
    }
  }
});
