import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toGlobalId } from '../../src/domain/global-id.js';
import { newProductKey } from '../../src/modules/entitlements/product-key.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, buy, keysToStore, skus, stockShop, type TestCustomer } from '../support/shop.js';
import { over, type Run, transports } from '../support/transports.js';

type Value = unknown;
type Case = [what: string, change: Record<string, Value>, field: string];

const NUL = 'a\u0000b';
const HALF_PAIR = 'a\ud800b';
const CONTROL = 'a\u0007b';
const orderId = toGlobalId('Order', randomUUID());
const otherId = toGlobalId('Invoice', randomUUID());
const line = { ...skus.perpetual, quantity: 1 };
const money = (amount: Value, currency: Value = 'USD') => ({ amount: { amount, currency } });

/** Inputs that are wrong in one place, by mutation: what is wrong, what is put in, the field that the answer names. */
const wrongInputs: Record<string, Case[]> = {
  purchase: [
    ['an empty key', { idempotencyKey: '' }, 'idempotencyKey'],
    ['a key of 256 characters', { idempotencyKey: 'k'.repeat(256) }, 'idempotencyKey'],
    ['a key with a blank', { idempotencyKey: 'a b' }, 'idempotencyKey'],
    ['a key beyond ASCII', { idempotencyKey: 'schlüssel' }, 'idempotencyKey'],
    ['a key with NUL', { idempotencyKey: NUL }, 'idempotencyKey'],
    ['a broken id', { customerId: 'broken' }, 'customerId'],
    ['an empty id', { customerId: '' }, 'customerId'],
    ['an id of another type', { customerId: orderId }, 'customerId'],
    ['an id with half a surrogate pair', { customerId: HALF_PAIR }, 'customerId'],
    ['a currency in lower case', { currency: 'usd' }, 'currency'],
    ['a currency of four letters', { currency: 'USDX' }, 'currency'],
    ['no line', { lines: [] }, 'lines'],
    ['51 lines', { lines: Array(51).fill(line) }, 'lines'],
    ['a quantity of 0', { lines: [{ ...line, quantity: 0 }] }, 'lines.0.quantity'],
    ['a negative quantity, second', { lines: [line, { ...line, quantity: -1 }] }, 'lines.1.quantity'],
    ['a quantity of 2^31', { lines: [{ ...line, quantity: 2 ** 31 }] }, 'quantity'],
    ['a quantity of 10^300', { lines: [{ ...line, quantity: 1e300 }] }, 'quantity'],
    ['half a quantity', { lines: [{ ...line, quantity: 0.5 }] }, 'quantity'],
    ['a quantity in text', { lines: [{ ...line, quantity: '1' }] }, 'quantity'],
    ['a product id in lower case', { lines: [{ ...line, productId: 'dg7gmgf0fkzv' }] }, 'lines.0.productId'],
    ['a SKU id without its zeros', { lines: [{ ...line, skuId: '1' }] }, 'lines.0.skuId'],
    ['a field that is not there', { price: '0.01' }, 'price'],
  ],
  cancelOrder: [
    ['a broken id', { orderId: 'broken' }, 'orderId'],
    ['an id of another type', { orderId: otherId }, 'orderId'],
    ['no line', { lineNumbers: [] }, 'lineNumbers'],
    ['a line twice', { lineNumbers: [0, 0] }, 'lineNumbers'],
    ['101 lines', { lineNumbers: Array.from({ length: 101 }, (_, at) => at) }, 'lineNumbers'],
    ['a line beyond 32 bits', { lineNumbers: [2 ** 40] }, 'lineNumbers'],
    ['an empty reason', { reason: '' }, 'reason'],
    ['a blank reason', { reason: ' \n ' }, 'reason'],
    ['a reason of two lines', { reason: 'One\nTwo' }, 'reason'],
    ['a reason that is turned round', { reason: 'a\u202eb' }, 'reason'],
    ['a reason of 1001 characters', { reason: 'x'.repeat(1_001) }, 'reason'],
    ['a reason with NUL', { reason: NUL }, 'reason'],
    ['a reason with a bell', { reason: CONTROL }, 'reason'],
    ['a reason with half a surrogate pair', { reason: HALF_PAIR }, 'reason'],
    ['a token of 8001 characters', { quoteToken: 'x'.repeat(8_001) }, 'quoteToken'],
    ['no acknowledgement', { acknowledged: null }, 'acknowledged'],
  ],
  revealProductKey: [
    ['an id of another type', { entitlementId: orderId }, 'entitlementId'],
    ['an empty version', { version: '' }, 'version'],
    ['a version of 101 characters', { version: 'x'.repeat(101) }, 'version'],
    ['a version with NUL', { version: NUL }, 'version'],
  ],
  storeProductKeys: [
    ['a product id in lower case', { productId: 'dg7gmgf0fkzv' }, 'productId'],
    ['a SKU id without its zeros', { skuId: '1' }, 'skuId'],
    ['an empty version', { version: '' }, 'version'],
    ['no key', { productKeys: [] }, 'productKeys'],
    ['1001 keys', { productKeys: Array(1_001).fill(newProductKey()) }, 'productKeys'],
    ['what is no key', { productKeys: [newProductKey(), 'AAAAA-BBBBB'] }, 'productKeys'],
    ['a key with NUL', { productKeys: [newProductKey().replace('-', NUL)] }, 'productKeys'],
  ],
  createDownloadLink: [
    ['a broken id', { entitlementId: 'ent_7' }, 'entitlementId'],
    ['a language of 41 characters', { language: 'x'.repeat(41) }, 'language'],
    ['a blank architecture', { architecture: ' ' }, 'architecture'],
    ['a language with half a surrogate pair', { language: HALF_PAIR }, 'language'],
  ],
  updateSupportRequest: [
    ['neither state nor note', { note: null }, 'status'],
    ['an unknown state', { status: 'LOST' }, 'status'],
    ['an id of another type', { supportRequestId: orderId }, 'supportRequestId'],
    ['an empty note', { note: '' }, 'note'],
    ['a note of 10001 characters', { note: 'x'.repeat(10_001) }, 'note'],
    ['a note with NUL', { note: NUL }, 'note'],
  ],
  submitSupportRequest: [
    ['an unknown topic', { topic: 'Other' }, 'topic'],
    ['an unknown impact', { impact: 'HUGE' }, 'impact'],
    ['a title of 201 characters', { title: 'x'.repeat(201) }, 'title'],
    ['a description of 10001 characters', { description: 'x'.repeat(10_001) }, 'description'],
    ['a description with NUL', { description: NUL }, 'description'],
    ['a title with half a surrogate pair', { title: HALF_PAIR }, 'title'],
    ['an order id of another type', { orderId: otherId }, 'orderId'],
    ['money with an exponent', money('1e3'), 'amount'],
    ['money as a number', money(94.2), 'amount'],
    ['money with five digits after the point', money('0.00001'), 'amount'],
    ['money of 19 digits', money('1'.repeat(19)), 'amount'],
    ['money that is no number', money('NaN'), 'amount'],
    ['negative money', money('-0.01'), 'amount.amount'],
    ['money with a comma', money('94,20'), 'amount'],
    ['money in a strange currency', money('1.00', '$'), 'amount.currency'],
    ['an e-mail address without a domain', { contact: { email: 'pat' } }, 'contact.email'],
    [
      'an e-mail address with a line end',
      { contact: { email: 'pat@example.com\nbcc: all@example.com' } },
      'contact.email',
    ],
    ['a title of two lines', { title: 'One\nTwo' }, 'title'],
    ['a title with a line separator', { title: 'One\u2028Two' }, 'title'],
    ['a title with a paragraph separator', { title: 'One\u2029Two' }, 'title'],
    ['a title with a next line', { title: 'One\u0085Two' }, 'title'],
    ['a title with a vertical tab', { title: 'One\vTwo' }, 'title'],
    ['a title with a carriage return', { title: 'One\rTwo' }, 'title'],
    ['a title that is turned round', { title: 'invoice\u202egpj.exe' }, 'title'],
    ['a title in an isolate', { title: '\u2067invoice\u2069' }, 'title'],
    ['a refund reason of two lines', { refundReason: 'One\r\nTwo' }, 'refundReason'],
    ['a contact of two lines', { contact: { name: 'Pat\fDoe' } }, 'contact.name'],
    ['a contact with a blank without width', { contact: { name: 'Pat\u200bDoe' } }, 'contact.name'],
    ['an e-mail address with a blank without width', { contact: { email: 'pat\u200b@example.com' } }, 'contact.email'],
    ['an e-mail address that is turned round', { contact: { email: '\u202epat@example.com' } }, 'contact.email'],
    ['a telephone number without enough digits', { contact: { phone: '+1 425' } }, 'contact.phone'],
    ['two telephone numbers', { contact: { phone: '+1 425 555 0100 / +1 425 555 0101' } }, 'contact.phone'],
    ['a telephone number that no country has', { contact: { phone: '+999 425 555 0100' } }, 'contact.phone'],
    ['a telephone number of zeros', { contact: { phone: '000 000 0000' } }, 'contact.phone'],
    ['a telephone number of another country without its code', { contact: { phone: '02/70398398' } }, 'contact.phone'],
    ['a telephone number in words', { contact: { phone: 'call me' } }, 'contact.phone'],
    ['a contact without a name', { contact: { name: '' } }, 'contact.name'],
  ],
  revokeAccess: [
    ['an empty name', { userPrincipalName: '' }, 'userPrincipalName'],
    ['a name of 256 characters', { userPrincipalName: 'a'.repeat(256) }, 'userPrincipalName'],
    ...['\u200b', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u202e', '\u2066', '\u3164', '\u2028', '\n', '\u0085'].map(
      (character): Case => [
        `a name with U+${character.charCodeAt(0).toString(16)}`,
        { userPrincipalName: `an${character}na@partner.example` },
        'userPrincipalName',
      ],
    ),
    ['a reason of two lines', { reason: 'left\nthe company' }, 'reason'],
    ['an object id with a blank without width', { objectId: 'a\u200bb' }, 'objectId'],
    ['an issuer with a blank without width', { issuer: 'https://a\u200bb/' }, 'issuer'],
    ['an object id with a line break', { objectId: 'a\nb' }, 'objectId'],
    ['an empty object id', { objectId: '' }, 'objectId'],
    ['a tenant that is no GUID', { tenantId: 'contoso' }, 'tenantId'],
    ['a name with NUL', { userPrincipalName: `${NUL}@partner.example` }, 'userPrincipalName'],
    ['a reason with half a surrogate pair', { reason: HALF_PAIR }, 'reason'],
  ],
};

const instants = {
  wrong: [
    '2026-01-01T00:00:00',
    '2026-01-01',
    '2026-02-31T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:00+99:99',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+00:60',
    '2026-01-01T00:00:60Z',
    '2016-12-30T23:59:60Z',
    '2016-12-31T23:59:60+01:00',
    '2016-12-31T23:59:61Z',
    '2026-01-01T00:00:00,5Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00Z\n',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+010000-01-01T00:00:00Z',
    '-000001-01-01T00:00:00Z',
    'now',
    '',
    1_767_225_600_000,
    true,
  ],
  right: [
    '0001-01-01T00:00:00Z',
    '2024-02-29T00:00+14:00',
    '2026-01-01T00:00:00.123456789-12:00',
    '9999-12-31T23:59:59.999Z',
    '9999-12-31T23:59:59.9999999Z',
    '0001-01-01T00:00:00.0000001Z',
    '2026-01-01t00:00:00z',
    '2026-01-01T00:00:00-00:00',
    '2026-01-01T00:00:00+23:59',
    `2026-01-01T00:00:00.${'1'.repeat(40)}Z`,
    '2016-12-31T23:59:60Z',
    '2016-12-31T23:59:60.5Z',
    '2017-01-01T00:59:60+01:00',
  ],
};
const days = {
  wrong: ['2026-02-31', '2025-02-29', '0000-01-01', '2026-1-1', '2026-01-01T00:00:00Z', 'today', '', 20_260_101],
  right: ['0001-01-01', '2024-02-29', '9999-12-31'],
};

describe.each(transports)(`bad input over %s, on ${engine}`, (transport) => {
  let gateway: TestGateway;
  let run: Run;
  let customer: TestCustomer;
  let rightInputs: Record<string, Record<string, Value>>;
  beforeAll(async () => {
    gateway = await startTestGateway();
    run = over(transport, gateway);
    await stockShop(gateway);
    customer = await aCustomer(gateway);
    const order = await buy(gateway, customer, [line]);
    const entitlementId = toGlobalId('Entitlement', randomUUID());
    const contact = { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' };
    rightInputs = {
      purchase: { idempotencyKey: 'key', customerId: customer.id, lines: [line] },
      cancelOrder: { idempotencyKey: 'key', orderId: order.id, acknowledged: true },
      revealProductKey: { entitlementId, version: '2019' },
      storeProductKeys: keysToStore(),
      createDownloadLink: { entitlementId, version: '2019', language: 'en-US', architecture: 'x64' },
      submitSupportRequest: {
        idempotencyKey: 'key',
        customerId: customer.id,
        topic: 'CSP Purchase/Refund on behalf of customers',
        impact: 'MINIMAL',
        title: 'Refund',
        description: 'Please.',
        contact,
      },
      updateSupportRequest: {
        idempotencyKey: 'key',
        supportRequestId: toGlobalId('SupportRequest', randomUUID()),
        note: 'A note.',
      },
      revokeAccess: { userPrincipalName: 'left@partner.example' },
    };
  });
  afterAll(() => gateway.stop());

  /** What every refusal must leave as it was. */
  const stored = () =>
    gateway.sql(
      `select (select count(*) from orders) as orders, (select count(*) from cancellations) as cancellations,
        (select count(*) from support_requests) as support_requests, (select count(*) from access_revocations) as revocations,
        (select count(*) from download_links) as links, (select count(*) from product_keys) as keys, (select count(*) from product_key_pool) as pooled,
        (select count(*) from idempotency_keys) as idempotency_keys, (select count(*) from activity_entries) as entries`,
    );
  const merged = (right: Record<string, Value>, change: Record<string, Value>) => ({
    ...right,
    ...change,
    ...(change['contact'] ? { contact: { ...(right['contact'] as object), ...(change['contact'] as object) } } : {}),
  });
  const roleFor = (mutation: string) => (mutation === 'revokeAccess' ? 'GLOBAL_ADMIN' : 'ADMIN_AGENT');

  test.each(
    Object.entries(wrongInputs).flatMap(([mutation, cases]) =>
      cases.map(([what, change, field]): [string, string, Record<string, Value>, string] => [
        mutation,
        what,
        change,
        field,
      ]),
    ),
  )(
    '%s with %s is BAD_USER_INPUT that names the field, and nothing is stored',
    async (mutation, _what, change, field) => {
      const before = await stored();
      const title = mutation.charAt(0).toUpperCase() + mutation.slice(1);
      const { data, errors } = await run(
        `mutation ($input: ${title}Input!) { ${mutation}(input: $input) { __typename } }`,
        { input: merged(rightInputs[mutation] as object as Record<string, Value>, change) },
        roleFor(mutation),
      );
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      const [{ message, extensions }] = errors as [{ message: string; extensions: { field?: string } }];
      if (extensions.field) expect(extensions.field).toBe(`input.${field}`);
      else expect(message).toMatch(new RegExp(`"(input\\.)?.*${field.split('.').at(-1)}`));
      expect(data?.[mutation] ?? null).toBeNull();
      expect(await stored()).toEqual(before);
    },
  );

  const judged = (document: string, variable: string, argument: string) => async (value: Value, isRight: boolean) => {
    const { errors } = await run(`query ($value: ${variable}) { ${document} }`, { value });
    if (isRight) return expect([value, errors]).toEqual([value, undefined]);
    expect([value, errors]).toMatchObject([
      value,
      [{ message: expect.stringContaining(argument), extensions: { code: 'BAD_USER_INPUT' } }],
    ]);
  };

  test('an instant has a zone and is in the calendar', async () => {
    const judge = judged('orders(filter: { from: $value }) { totalCount }', 'DateTime', 'value');
    for (const value of instants.wrong) await judge(value, false);
    for (const value of instants.right) await judge(value, true);
  });

  test('a day is in the calendar', async () => {
    const judge = judged('invoices(filter: { from: $value }) { totalCount }', 'Date', 'value');
    for (const value of days.wrong) await judge(value, false);
    for (const value of days.right) await judge(value, true);
  });

  test('a GUID is one', async () => {
    const judge = judged('customer(by: { tenantId: $value }) { id }', 'UUID', 'value');
    for (const value of ['', 'x', customer.tenantId.slice(1), `{${customer.tenantId}}`, `${customer.tenantId}\n`, 7])
      await judge(value, false);
    await judge(customer.tenantId.toUpperCase(), true);
  });

  test('a literal that does not fit is told with its place', async () => {
    for (const literal of ['"2026-02-31T00:00:00Z"', '5', '"a\\u0000b"'])
      expect((await run(`{ activity(filter: { from: ${literal} }) { totalCount } }`)).errors).toMatchObject([
        {
          message: expect.stringContaining('DateTime'),
          locations: [expect.any(Object)],
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
        },
      ]);
    for (const literal of ['"a\\u0000b"', '"\\ud800"'])
      expect((await run(`{ customers(filter: { search: ${literal} }) { totalCount } }`)).errors).toMatchObject([
        {
          locations: [expect.any(Object)],
          extensions: { code: expect.stringMatching(/^GRAPHQL_(VALIDATION|PARSE)_FAILED$/) },
        },
      ]);
  });

  test.each([
    'customers(filter: { search: $value }) { totalCount }',
    'customers(filter: { market: $value }) { totalCount }',
    'customer(by: { domain: $value }) { id }',
    'order(by: { number: $value }) { id }',
    'orders(filter: { placedBy: $value, productId: $value }) { totalCount }',
    'product(productId: $value) { id }',
    'products(filter: { search: $value, publisher: $value }) { totalCount }',
    'products { nodes { skus { price(market: $value) { source } } } }',
    'activity(filter: { actor: $value, productId: $value }) { totalCount }',
    'activity(after: $value) { totalCount }',
    'invoices(filter: { currency: $value, productId: $value }) { totalCount }',
    'sales(filter: { markets: [$value], currency: $value }, groupBy: []) { count }',
    'supportRequests(filter: { topic: $value }) { totalCount }',
  ])('no text that PostgreSQL cannot keep reaches %s', async (field) => {
    for (const value of [NUL, HALF_PAIR]) {
      const { errors } = await run(`query ($value: String!) { ${field} }`, { value });
      expect(errors).toMatchObject([
        { message: expect.stringContaining('$value'), extensions: { code: 'BAD_USER_INPUT' } },
      ]);
    }
    // Strange, but text: SQL, wildcards, emoji, other scripts and 10,000 characters are values like any other.
    for (const value of [`' or 1=1; --`, '%_\\', '👩‍💻', 'אב', 'x'.repeat(10_000)])
      for (const error of (await run(`query ($value: String!) { ${field} }`, { value })).errors ?? [])
        expect(error.extensions).toEqual({ code: 'BAD_USER_INPUT', field: 'after' });
  });

  test.each([
    'orders(filter: { customerId: $value })',
    'software(filter: { customerId: $value })',
    'activity(filter: { orderId: $value })',
    'invoices(filter: { customerId: $value })',
    'invoices(filter: { orderId: $value })',
    'supportRequests(filter: { customerId: $value })',
  ])('a broken or strange id is refused by %s', async (field) => {
    for (const value of ['broken', toGlobalId('Sku', randomUUID()), ''])
      expect((await run(`query ($value: ID!) { ${field} { totalCount } }`, { value })).errors).toMatchObject([
        {
          message: expect.stringContaining('filter.'),
          extensions: { code: 'BAD_USER_INPUT', field: expect.stringMatching(/^filter\./) },
        },
      ]);
  });

  test('exactly one of the keys of a @oneOf input is given', async () => {
    for (const by of [
      {},
      { id: null },
      { id: customer.id, domain: customer.domain },
      { domain: null, id: customer.id },
    ])
      expect((await run('query ($by: CustomerBy!) { customer(by: $by) { id } }', { by })).errors).toMatchObject([
        { extensions: { code: 'BAD_USER_INPUT' } },
      ]);
    const both = `{ customer(by: { id: "${customer.id}", domain: "x" }) { id } }`;
    expect((await run(both)).errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
  });

  test.each([
    ['no base64', '%%%'],
    ['no JSON', Buffer.from('nonsense').toString('base64')],
    [
      'another list',
      Buffer.from(JSON.stringify(['Order:PLACED_AT', '2026-01-01T00:00:00.000Z', randomUUID()])).toString('base64'),
    ],
    [
      'SQL inside',
      Buffer.from(JSON.stringify(['Customer:COMPANY_NAME', "'; drop table customers", 'x'])).toString('base64'),
    ],
    ['too few values', Buffer.from(JSON.stringify(['Customer:COMPANY_NAME', 'a'])).toString('base64')],
    ['numbers', Buffer.from(JSON.stringify(['Customer:COMPANY_NAME', 1, 2])).toString('base64')],
    ['NUL inside', Buffer.from(JSON.stringify(['Customer:COMPANY_NAME', NUL, randomUUID()])).toString('base64')],
    ['too long', 'A'.repeat(100_000)],
    ['nothing', ''],
  ])('a cursor that is %s is refused, whichever way it points', async (_what, cursor) => {
    for (const argument of ['after', 'before'])
      expect(
        (await run(`query ($cursor: String) { customers(${argument}: $cursor) { nodes { id } } }`, { cursor })).errors,
      ).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: argument } }]);
  });
});
