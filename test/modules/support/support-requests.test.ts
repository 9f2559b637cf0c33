import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Role } from '../../../src/auth/role.js';
import { toGlobalId } from '../../../src/domain/global-id.js';
import {
  SubmitSupportRequestDocument,
  type SubmitSupportRequestInput,
  SupportRequestsDocument,
  SupportTopicsDocument,
} from '../../generated/graphql.js';
import { quoteOf } from '../../support/cancelling.js';
import { engine } from '../../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, buy, skus, stockShop, type TestCustomer } from '../../support/shop.js';

const REFUND = 'CSP Purchase/Refund on behalf of customers';
const MEBIBYTE = 1024 * 1024;

describe(`support, on ${engine}`, () => {
  let gateway: TestGateway;
  let clock: Date;
  let customer: TestCustomer;
  beforeAll(async () => {
    gateway = await startTestGateway({ now: () => clock });
    await stockShop(gateway);
    customer = await aCustomer(gateway);
  });
  beforeEach(() => {
    clock = new Date('2026-07-15T10:00:00Z');
  });
  afterAll(() => gateway.stop());

  const asking = (changes: Partial<SubmitSupportRequestInput> = {}): SubmitSupportRequestInput => ({
    idempotencyKey: randomUUID(),
    customerId: customer.id,
    topic: REFUND,
    impact: 'MODERATE',
    title: 'Refund',
    description: 'Bought twice.\nPlease refund.',
    contact: { name: 'Anna Agent', email: 'anna@partner.example', phone: '+39 (02) 123-4567' },
    ...changes,
  });
  const submit = (changes: Partial<SubmitSupportRequestInput> = {}, as: Caller | null = 'ADMIN_AGENT') =>
    gateway.run(SubmitSupportRequestDocument, { input: asking(changes) }, as);
  const submitted = async (changes: Partial<SubmitSupportRequestInput> = {}) => {
    const { data, errors } = await submit(changes);
    const result = data?.submitSupportRequest;
    if (result?.__typename !== 'SubmitSupportRequestSuccess') throw new Error(JSON.stringify({ data, errors }));
    return { ...result.supportRequest, uploadUrl: result.uploadUrl as string };
  };
  const stored = async (number: string) => {
    const { data } = await gateway.run(SupportRequestsDocument, { first: 100 }, 'HELPDESK_AGENT');
    return data.supportRequests?.nodes.find((request) => request.number === number);
  };
  const aFile = (name: string, content: string | Uint8Array<ArrayBuffer> = 'some text', type = 'text/plain') =>
    new File([content], name, { type });
  const upload = async (url: string, files: File[], fields: Record<string, string> = {}) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    for (const file of files) form.append('file', file);
    const response = await fetch(url, { method: 'POST', body: form });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const fileNames = async (number: string) => (await stored(number))?.files.map(({ name }) => name);

  test('rule 21: the refund is the first of the topics', async () => {
    const { data } = await gateway.run(SupportTopicsDocument, {}, 'HELPDESK_AGENT');
    expect(data.supportTopics?.[0]).toBe(REFUND);
    expect(data.supportTopics?.length).toBeGreaterThan(1);
  });

  test('rule 21: a request with order, reason and amount is kept as it was sent, and written down', async () => {
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const amount = { amount: '13748.00', currency: 'USD' };
    const request = await submitted({ orderId: order.id, refundReason: 'Bought twice', amount, impact: 'CRITICAL' });
    expect(request).toMatchObject({ number: expect.stringMatching(/^\d{15}$/), status: 'OPEN', impact: 'CRITICAL' });
    expect(await stored(request.number)).toMatchObject({
      id: request.id,
      topic: REFUND,
      title: 'Refund',
      submittedBy: 'agent.anna@partner.example',
      submittedAt: '2026-07-15T10:00:00.000Z',
      customer: { companyName: `Company ${customer.rowId.slice(0, 8)}` },
      order: { number: order.number },
      amount,
      contact: { name: 'Anna Agent', email: 'anna@partner.example', phone: '+39021234567' },
      files: [],
    });
    const entries = await gateway.sql(
      `select resource_label, detail from activity_entries where resource_id = ? and action = 'SUPPORT_REQUEST_SUBMITTED'`,
      [request.id],
    );
    expect(entries).toEqual([
      {
        resource_label: request.number,
        detail: { supportRequestNumber: request.number, topic: REFUND, impact: 'CRITICAL' },
      },
    ]);
  });

  test.each<[string, Partial<SubmitSupportRequestInput>]>([
    ['input.topic', { topic: 'Anything else' }],
    ['input.title', { title: '' }],
    ['input.title', { title: '   ' }],
    ['input.title', { title: 'x'.repeat(201) }],
    ['input.title', { title: 'bell \u0007' }],
    ['input.description', { description: 'x'.repeat(10_001) }],
    ['input.refundReason', { refundReason: '' }],
    ['input.amount.amount', { amount: { amount: '-1', currency: 'USD' } }],
    ['input.amount.amount', { amount: { amount: '1.001', currency: 'USD' } }],
    ['input.amount.amount', { amount: { amount: '1.5', currency: 'JPY' } }],
    ['input.amount.amount', { amount: { amount: '1.5555', currency: 'KWD' } }],
    ['input.amount.currency', { amount: { amount: '1', currency: 'usd' } }],
    ['input.amount.currency', { amount: { amount: '1.2345', currency: 'ZZZ' } }],
    ['input.contact.name', { contact: { name: '', email: 'a@b.example', phone: '+1 425 555 0100' } }],
    ['input.contact.email', { contact: { name: 'A', email: 'not an address', phone: '+1 425 555 0100' } }],
    ['input.contact.phone', { contact: { name: 'A', email: 'a@b.example', phone: 'call me' } }],
    ['input.idempotencyKey', { idempotencyKey: '' }],
    ['input.customerId', { customerId: 'rubbish' }],
    ['input.orderId', { orderId: 'cus_00000000-0000-4000-8000-000000000000' }],
  ])('rule 21: %s of a wrong form is told by its path', async (field, changes) => {
    const { data, errors } = await submit(changes);
    expect(data.submitSupportRequest).toBeNull();
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  });

  test.each([
    ['US', '(425) 555-0100', '+14255550100'],
    ['US', '425.555.0100 x 5', '+14255550100;ext=5'],
    ['US', '+39 02/70398398', '+390270398398'],
    ['US', '011 39 02 70398398', '+390270398398'],
    ['IT', '02/70398398', '+390270398398'],
    ['IT', '+1 425 555 0100 ext. 5', '+14255550100;ext=5'],
    ['DE', '030 901820', '+4930901820'],
    ['DE', '+49 (0)30 901820', '+4930901820'],
    ['DE', '００３９ 02 70398398', '+390270398398'],
  ])(
    'rule 21: a telephone number is understood as in the customer’s country %s: %s',
    async (market, phone, understood) => {
      const there = await aCustomer(gateway, { market });
      const contact = { name: 'Anna Agent', email: 'anna@partner.example', phone };
      const request = await submitted({ customerId: there.id, contact });
      expect((await stored(request.number))?.contact.phone).toBe(understood);
    },
  );

  test('rule 21: what is written with joiners, from right to left or with emoji is one line too', async () => {
    const title = 'نمی\u200cخواهم 👩\u200d💻 \u200fשלום';
    expect(await stored((await submitted({ title })).number)).toMatchObject({ title });
  });

  test('rule 21: texts and amounts at their limits are taken', async () => {
    const amount = { amount: '999999999999999999.9999', currency: 'CLF' };
    const request = await submitted({ title: 'x'.repeat(200), description: 'y'.repeat(10_000), amount });
    expect(await stored(request.number)).toMatchObject({ title: 'x'.repeat(200), amount });
    for (const [sent, currency, kept] of [
      ['0', 'USD', '0.00'],
      ['94.2', 'HUF', '94.20'],
      ['12.345', 'IQD', '12.345'],
      ['7', 'JPY', '7'],
    ] as const)
      expect(await stored((await submitted({ amount: { amount: sent, currency } })).number)).toMatchObject({
        amount: { amount: kept, currency },
      });
  });

  test("rule 21: an unknown customer, an unknown order, and another customer's order are problems", async () => {
    const other = await buy(gateway, await aCustomer(gateway), [{ ...skus.perpetual, quantity: 1 }]);
    const typeOf = async (changes: Partial<SubmitSupportRequestInput>) =>
      (await submit(changes)).data.submitSupportRequest?.__typename;
    expect(await typeOf({ customerId: toGlobalId('Customer', randomUUID()) })).toBe('CustomerNotFound');
    expect(await typeOf({ orderId: toGlobalId('Order', randomUUID()) })).toBe('OrderNotFound');
    expect(await typeOf({ orderId: other.id })).toBe('OrderNotFound');
  });

  test.each([...Object.values(Role), 'anonymous' as const])(
    'rule 21: whether %s may ask support and see what was asked',
    async (role) => {
      const as =
        role === 'anonymous' ? null : role === 'CUSTOMER_ADMIN' ? { token: await gateway.token(role, customer) } : role;
      const result = await submit({}, as);
      const list = await gateway.run(SupportRequestsDocument, {}, as);
      const topics = await gateway.run(SupportTopicsDocument, {}, as);
      if (['ADMIN_AGENT', 'GLOBAL_ADMIN', 'HELPDESK_AGENT'].includes(role)) {
        expect(result.data.submitSupportRequest?.__typename).toBe('SubmitSupportRequestSuccess');
        expect([list.errors, topics.errors]).toEqual([undefined, undefined]);
      } else {
        expect([result.data.submitSupportRequest, list.data.supportRequests, topics.data.supportTopics]).toEqual([
          null,
          null,
          null,
        ]);
      }
    },
  );

  test('rule 21: files go up together, with size and digest; their names lose what is not a name', async () => {
    const { number, uploadUrl } = await submitted();
    const content = 'a,b\n1,2\n';
    const sha256 = createHash('sha256').update(content).digest('hex');
    const sent = await upload(
      uploadUrl,
      [aFile('prices.csv', content, 'text/csv'), aFile('../../etc/pass\twd', 'x'), aFile(`${'n'.repeat(300)}.txt`)],
      { comment: 'fields are passed over' },
    );
    expect(sent).toMatchObject({
      status: 201,
      body: { files: [{ name: 'prices.csv', contentType: 'text/csv', size: 8, sha256 }, {}, {}] },
    });
    const request = await stored(number);
    expect(request?.files).toMatchObject([{ name: 'prices.csv', contentType: 'text/csv', size: 8, sha256 }, {}, {}]);
    for (const { name } of request?.files ?? []) expect(name).toMatch(/^[^/\\\t]{1,200}$/);
  });

  test('rule 21: a file may have 10 MiB and not a byte more', async () => {
    const { number, uploadUrl } = await submitted();
    const largest = new Uint8Array(10 * MEBIBYTE).fill(65);
    expect(await upload(uploadUrl, [aFile('largest.txt', largest)])).toMatchObject({
      status: 201,
      body: { files: [{ size: 10 * MEBIBYTE, sha256: createHash('sha256').update(largest).digest('hex') }] },
    });
    const tooLarge = await upload(uploadUrl, [aFile('good.txt'), aFile('more.txt', new Uint8Array(10 * MEBIBYTE + 1))]);
    expect(tooLarge).toMatchObject({ status: 413, body: { code: 'FILE_TOO_LARGE' } });
    expect(await fileNames(number)).toEqual(['largest.txt']);
  });

  test.each<[string, File[], number, string]>([
    [
      'a type that support does not read',
      [aFile('good.txt'), aFile('run.exe', 'MZ', 'application/x-msdownload')],
      415,
      'CONTENT_TYPE_NOT_ACCEPTED',
    ],
    ['a page with scripts', [aFile('a.html', '<script>', 'text/html')], 415, 'CONTENT_TYPE_NOT_ACCEPTED'],
    ['an empty file', [aFile('good.txt'), aFile('empty.txt', '')], 400, 'FILE_EMPTY'],
    ['no file', [], 400, 'NO_FILE'],
    ['eleven files', Array.from({ length: 11 }, (_, index) => aFile(`${index}.txt`)), 409, 'TOO_MANY_FILES'],
    ['twenty files', Array.from({ length: 20 }, (_, index) => aFile(`${index}.txt`)), 409, 'TOO_MANY_FILES'],
  ])('rule 21: %s is refused, and nothing of the upload is kept', async (_name, files, status, code) => {
    const { number, uploadUrl } = await submitted();
    expect(await upload(uploadUrl, files, files.length === 0 ? { comment: 'x' } : {})).toMatchObject({
      status,
      body: { code },
    });
    expect(await fileNames(number)).toEqual([]);
    expect((await upload(uploadUrl, [aFile('after.txt')])).status).toBe(201);
  });

  test('rule 21: a file is what its content is, whatever the browser and its name say', async () => {
    const { number, uploadUrl } = await submitted();
    const program = new Uint8Array(256);
    program.set(Buffer.from('MZ\x90\0\x03', 'latin1'));
    expect(await upload(uploadUrl, [aFile('good.txt'), aFile('invoice.pdf', program, 'application/pdf')])).toEqual({
      status: 415,
      body: {
        code: 'CONTENT_TYPE_NOT_ACCEPTED',
        message: expect.stringMatching(/^invoice\.pdf: its content is .*Send one of: application\/pdf/),
      },
    });
    expect(await fileNames(number)).toEqual([]);
    expect(
      await upload(uploadUrl, [aFile('Übersicht.csv', 'a;ü\n', 'application/vnd.ms-excel'), aFile('run.bat', 'echo')]),
    ).toMatchObject({
      status: 201,
      body: {
        files: [
          { name: 'Übersicht.csv', contentType: 'text/csv' },
          { name: 'run.bat.txt', contentType: 'text/plain' },
        ],
      },
    });
    const body = Buffer.from(
      '--b\r\ncontent-disposition: form-data; name="f"; filename="\xfcber.txt"\r\ncontent-type: text/plain\r\n\r\na\r\n--b--\r\n',
      'latin1',
    );
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const refused = await fetch(uploadUrl, { method: 'POST', headers, body });
    expect([refused.status, await refused.json()]).toMatchObject([400, { message: expect.stringContaining('UTF-8') }]);
    expect(await fileNames(number)).toHaveLength(2);
  });

  test('rule 21: a refusal is told though megabytes follow', async () => {
    const { uploadUrl } = await submitted();
    const files = [
      aFile('a.exe', 'MZ', 'application/x-msdownload'),
      ...Array.from({ length: 5 }, () => aFile('b.txt', new Uint8Array(4 * MEBIBYTE))),
    ];
    expect(await upload(uploadUrl, files)).toMatchObject({ status: 415, body: { code: 'CONTENT_TYPE_NOT_ACCEPTED' } });
  });

  test('rule 21: a request has ten files at most, all of an upload or none, though two come at once', async () => {
    const { number, uploadUrl } = await submitted();
    const six = (letter: string) => Array.from({ length: 6 }, (_, index) => aFile(`${letter}${index}.txt`));
    const answers = await Promise.all([upload(uploadUrl, six('a')), upload(uploadUrl, six('b'))]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    const names = await fileNames(number);
    expect(names).toHaveLength(6);
    expect(new Set(names?.map((name) => name[0])).size).toBe(1);
    expect((await upload(uploadUrl, six('c').slice(0, 4))).status).toBe(201);
    expect((await upload(uploadUrl, [aFile('eleventh.txt')])).status).toBe(409);
  });

  test.each<[string, RequestInit, number]>([
    ['JSON', { body: '{}', headers: { 'content-type': 'application/json' } }, 415],
    ['nothing', {}, 415],
    ['no boundary', { body: 'x', headers: { 'content-type': 'multipart/form-data' } }, 400],
    [
      'a form cut off',
      {
        body: '--b\r\ncontent-disposition: form-data; name="f"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\nabc',
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
      },
      400,
    ],
    ['rubbish', { body: 'rubbish', headers: { 'content-type': 'multipart/form-data; boundary=b' } }, 400],
  ])('rule 21: an upload of %s is told what is wrong', async (_name, request, status) => {
    const { uploadUrl } = await submitted();
    const response = await fetch(uploadUrl, { method: 'POST', ...request });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      code: expect.stringMatching(/^[A-Z_]+$/),
      message: expect.any(String),
    });
  });

  test('rule 21: an upload address is good for 24 hours; one we did not sign, or signed for something else, leads nowhere', async () => {
    const { uploadUrl } = await submitted();
    const send = async (url: string) => {
      const { status, body } = await upload(url, [aFile('a.txt')]);
      return [status, body['code']];
    };
    clock = new Date('2026-07-16T09:59:59Z');
    expect((await send(uploadUrl))[0]).toBe(201);
    clock = new Date('2026-07-16T10:00:00Z');
    expect(await send(uploadUrl)).toEqual([410, 'EXPIRED']);
    const token = uploadUrl.split('/').at(-2) as string;
    const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const { quoteToken } = await quoteOf(gateway, order);
    for (const other of [
      `${token.split('.').slice(0, 2).join('.')}.${'A'.repeat(43)}`,
      quoteToken as string,
      'rubbish',
    ])
      expect(await send(uploadUrl.replace(token, other))).toEqual([404, 'NOT_FOUND']);
  });
});
