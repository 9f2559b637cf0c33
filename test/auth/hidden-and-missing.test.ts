import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { type NodeType, toGlobalId } from '../../src/domain/global-id.js';
import { engine } from '../support/database.js';
import { type Caller, startTestGateway, type TestGateway, type TestStream } from '../support/gateway.js';
import { namedOperations } from '../support/operations.js';
import { aJob, skus, stockShop } from '../support/shop.js';
import { recordStatements, type StatementRecorder } from '../support/statements.js';
import { aTenant, rawAnswer, type TestTenant } from '../support/tenants.js';
import { until } from '../support/until.js';

/** What is asked once for something of somebody else's and once for what there never was. */
interface Lookup {
  query: string;
  hidden: Record<string, unknown>;
  missing: Record<string, unknown>;
}

/** The ORM writes values into its texts: of those only where they stand. */
const withoutValues = (text: string) => text.replace(/'(?:[^']|'')*'|\bnull\b/g, '?');

describe(`hidden and missing, on ${engine}`, () => {
  let gateway: TestGateway;
  let statements: StatementRecorder;
  let mine: TestTenant;
  let theirs: TestTenant;
  let none: Record<string, string>;
  let roleless: Caller;
  /** One that is theirs. */
  let session: TestStream;
  let sessionId: string;
  let jobId: string;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    mine = await aTenant(gateway);
    theirs = await aTenant(gateway);
    none = Object.fromEntries(
      Object.keys(theirs.ids).map((type) => [type, toGlobalId(type as NodeType, randomUUID())]),
    );
    const token = await new SignJWT({ upn: 'nobody@stranger.example', tid: randomUUID(), roles: [] })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('csp-graph-demo')
      .setAudience('csp-graph')
      .setSubject(randomUUID())
      .setExpirationTime('1h')
      .sign(gateway.gateway.services.config.signingSecret);
    roleless = { token };
    jobId = await aJob(gateway, theirs.order);
    session = await gateway.subscribe('subscription { activity { __typename } }', {}, theirs.admin);
    await session.next();
    await until('the session is written down', async () => {
      const [row] = await gateway.sql<{ id: string }>('select id from sessions');
      if (row) sessionId = toGlobalId('Session', row.id);
      return row !== undefined;
    });
    statements = await recordStatements(gateway);
  });
  afterAll(async () => {
    statements.stop();
    await session.end();
    await gateway.stop();
  });

  /** The statements of a request that is not the first of its kind. */
  const statementsOf = async (query: string, variables: Record<string, unknown>, as: Caller) => {
    // A repeated key would be answered from memory.
    const { input } = variables as { input?: object };
    const sent = input && 'idempotencyKey' in input ? { input: { ...input, idempotencyKey: randomUUID() } } : variables;
    let answer = '';
    const texts = await statements.of(async () => {
      answer = await rawAnswer(gateway, query, sent, as);
    });
    return { texts: texts.map(withoutValues), answer };
  };
  const expectAlike = async ({ query, hidden, missing }: Lookup, as: Caller) => {
    await statementsOf(query, missing, as);
    const first = async (variables: Record<string, unknown>) => {
      await gateway.sql('delete from refused_attempts');
      return statementsOf(query, variables, as);
    };
    const [theirs, nothing] = [await first(hidden), await first(missing)];
    expect([query, theirs]).toEqual([query, nothing]);
    // A refused attempt that is made again is joined to the one before: each to its own.
    await statementsOf(query, hidden, as);
    const [theirsAgain, nothingAgain] = [await statementsOf(query, hidden, as), await statementsOf(query, missing, as)];
    expect([query, theirsAgain]).toEqual([query, nothingAgain]);
    return theirs.texts.length;
  };

  const onType = (type: string): Lookup => ({
    query:
      'query ($id: ID!) { node(id: $id) { __typename id ... on Customer { domain orders { totalCount } } ... on Order { number lines { id } } ... on Entitlement { status } } }',
    hidden: { id: theirs.ids[type as 'Order'] },
    missing: { id: none[type] },
  });
  const reads = (): Lookup[] => [
    ...Object.keys(none).map(onType),
    {
      query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
      hidden: { ids: Object.values(theirs.ids) },
      missing: { ids: Object.values(none) },
    },
    {
      query: 'query ($by: OrderBy!) { order(by: $by) { number customer { id } lines { id } } }',
      hidden: { by: { id: theirs.order.id } },
      missing: { by: { id: none['Order'] } },
    },
    {
      query: 'query ($by: OrderBy!) { order(by: $by) { id } }',
      hidden: { by: { number: theirs.order.number } },
      missing: { by: { number: '0123456789ab' } },
    },
    {
      query: 'query ($by: CustomerBy!) { customer(by: $by) { domain contact { email } orders { nodes { id } } } }',
      hidden: { by: { id: theirs.customer.id } },
      missing: { by: { id: none['Customer'] } },
    },
    {
      query: 'query ($by: CustomerBy!) { customer(by: $by) { id } }',
      hidden: { by: { domain: theirs.customer.domain } },
      missing: { by: { domain: 'nobody.onmicrosoft.com' } },
    },
    {
      query: 'query ($by: CustomerBy!) { customer(by: $by) { id } }',
      hidden: { by: { tenantId: theirs.customer.tenantId } },
      missing: { by: { tenantId: randomUUID() } },
    },
    ...['orders', 'software', 'activity'].map((list) => ({
      query: `query ($id: ID!) { ${list}(filter: { customerId: $id }) { totalCount nodes { id } } }`,
      hidden: { id: theirs.customer.id },
      missing: { id: none['Customer'] },
    })),
    {
      query: 'query ($id: ID!) { activity(filter: { orderId: $id }) { totalCount nodes { id } } }',
      hidden: { id: theirs.order.id },
      missing: { id: none['Order'] },
    },
    {
      query: 'query ($orderId: ID!) { cancellationQuote(orderId: $orderId) { orderId: __typename } }',
      hidden: { orderId: theirs.order.id },
      missing: { orderId: none['Order'] },
    },
    ...['purchasePreview'].map((preview) => {
      const asked = (customerId: unknown) => ({ input: { customerId, lines: [{ ...skus.perpetual, quantity: 1 }] } });
      return {
        query: `query ($input: PurchasePreviewInput!) { ${preview}(input: $input) { problem { code message } } }`,
        hidden: asked(theirs.customer.id),
        missing: asked(none['Customer']),
      };
    }),
  ];
  const mutations = (): Lookup[] => {
    const asked = (input: object, changes: object) => ({ input: { idempotencyKey: '', ...input, ...changes } });
    const support = {
      topic: 'CSP Purchase/Refund on behalf of customers',
      impact: 'MINIMAL',
      title: 'Refund',
      description: 'Please refund.',
      contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
    };
    const lookups: Record<string, [own: object, hidden: object, missing: object][]> = {
      Purchase: [
        [
          { lines: [{ ...skus.perpetual, quantity: 1 }] },
          { customerId: theirs.customer.id },
          { customerId: none['Customer'] },
        ],
      ],
      CancelOrder: [[{ acknowledged: true }, { orderId: theirs.order.id }, { orderId: none['Order'] }]],
      SubmitSupportRequest: [
        [support, { customerId: theirs.customer.id }, { customerId: none['Customer'] }],
        [{ ...support, customerId: mine.customer.id }, { orderId: theirs.order.id }, { orderId: none['Order'] }],
      ],
      UpdateSupportRequest: [
        [
          { note: 'A note.' },
          { supportRequestId: theirs.ids.SupportRequest },
          { supportRequestId: none['SupportRequest'] },
        ],
      ],
      RevokeAccess: [
        [{}, { userPrincipalName: `admin@${theirs.customer.domain}` }, { userPrincipalName: 'nobody@nowhere.example' }],
      ],
      RestoreAccess: [
        [{}, { userPrincipalName: `admin@${theirs.customer.domain}` }, { userPrincipalName: 'nobody@nowhere.example' }],
      ],
      // Nobody's: the pool is the partner's.
      StoreProductKeys: [],
      EndSession: [[{}, { sessionId }, { sessionId: toGlobalId('Session', randomUUID()) }]],
      RetryJob: [[{}, { jobId }, { jobId: toGlobalId('Job', randomUUID()) }]],
      GiveUpJob: [[{ reason: 'Not today' }, { jobId }, { jobId: toGlobalId('Job', randomUUID()) }]],
      RevealProductKey: [
        [
          { version: theirs.choice.version },
          { entitlementId: theirs.entitlementId },
          { entitlementId: none['Entitlement'] },
        ],
      ],
      CreateDownloadLink: [
        [theirs.choice, { entitlementId: theirs.entitlementId }, { entitlementId: none['Entitlement'] }],
      ],
    };
    const withoutKey = [
      'RevokeAccess',
      'RestoreAccess',
      'EndSession',
      'RevealProductKey',
      'CreateDownloadLink',
      'RetryJob',
      'GiveUpJob',
    ];
    return namedOperations()
      .filter(({ kind }) => kind === 'mutation')
      .flatMap(({ name, text }) => {
        if (!lookups[name]) throw new Error(`say what of somebody else's ${name} is to be tried on`);
        return lookups[name].map(([own, hidden, missing]) => {
          const given = (changes: object) =>
            withoutKey.includes(name) ? { input: { ...own, ...changes } } : asked(own, changes);
          return { query: text, hidden: given(hidden), missing: given(missing) };
        });
      });
  };

  test('whatever a CUSTOMER_ADMIN reads of another tenant’s by its name or id takes the statements of what is missing', async () => {
    let taken = 0;
    for (const lookup of reads()) taken += await expectAlike(lookup, mine.admin);
    // Those that are refused to the role take none.
    expect(taken).toBeGreaterThan(15);
  });

  test('every mutation on another tenant’s takes the statements of one on what is missing, by text and number', async () => {
    let taken = 0;
    for (const lookup of mutations()) taken += await expectAlike(lookup, mine.admin);
    expect(taken).toBeGreaterThanOrEqual(10);
  });

  test('so does every mutation by who has no role at all, though the attempt is written down for its owner', async () => {
    let taken = 0;
    for (const lookup of mutations()) taken += await expectAlike(lookup, roleless);
    expect(taken).toBeGreaterThan(6);
  });

  test('on behalf of one customer, another’s order takes the statements of one that is missing', async () => {
    for (const lookup of mutations().filter(({ hidden }) => {
      const { input } = hidden as { input: Record<string, unknown> };
      return input['customerId'] === mine.customer.id;
    }))
      expect(await expectAlike(lookup, 'ADMIN_AGENT')).toBeGreaterThan(2);
  });
});
