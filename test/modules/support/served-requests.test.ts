import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Role } from '../../../src/auth/role.js';
import { toGlobalId } from '../../../src/domain/global-id.js';
import { askScanner, type Finding } from '../../../src/modules/support/scan/ask-scanner.js';
import { MAXIMUM_NOTES } from '../../../src/modules/support/update-support-request.js';
import {
  SubmitSupportRequestDocument,
  SupportRequestsDocument,
  UpdateSupportRequestDocument,
  type UpdateSupportRequestInput,
} from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import { type Caller, startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, type TestCustomer } from '../../support/shop.js';
import { entriesOf } from '../../support/software.js';
import { until } from '../../support/until.js';

const supporters = ['ADMIN_AGENT', 'GLOBAL_ADMIN', 'HELPDESK_AGENT'];

/** What tests of a gateway do with its support requests. */
function desk(gateway: TestGateway) {
  const list = async () => {
    const { data } = await gateway.run(SupportRequestsDocument, { first: 100 }, 'HELPDESK_AGENT');
    return data.supportRequests?.nodes ?? [];
  };
  const stored = async ({ id }: { id: string }) => (await list()).find((request) => request.id === id);
  return {
    stored,
    /** Submits a request with files, and answers it as it is listed. */
    submit: async (customer: TestCustomer, files: File[] = []) => {
      const input = {
        idempotencyKey: randomUUID(),
        customerId: customer.id,
        topic: 'CSP Purchase/Refund on behalf of customers',
        impact: 'MINIMAL' as const,
        title: 'Refund',
        description: 'Please.',
        contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
      };
      const { data } = await gateway.run(SubmitSupportRequestDocument, { input }, 'ADMIN_AGENT');
      const result = data.submitSupportRequest;
      if (result?.__typename !== 'SubmitSupportRequestSuccess') throw new Error(JSON.stringify(data));
      const form = new FormData();
      for (const file of files) form.append('files', file);
      if (files.length > 0) {
        const { status } = await fetch(result.uploadUrl as string, { method: 'POST', body: form });
        expect(status).toBe(201);
      }
      const request = await stored(result.supportRequest);
      if (!request) throw new Error('it is not listed');
      return request;
    },
    update: async (input: Omit<UpdateSupportRequestInput, 'idempotencyKey'>, as: Caller = 'HELPDESK_AGENT') => {
      const { data, errors } = await gateway.run(
        UpdateSupportRequestDocument,
        { input: { idempotencyKey: randomUUID(), ...input } },
        as,
      );
      if (!data.updateSupportRequest) throw new Error(JSON.stringify(errors));
      return data.updateSupportRequest;
    },
    /** Asks for the content of a file. */
    get: async (
      file: { downloadPath: string | null } | string,
      { as = 'HELPDESK_AGENT' as Role | null, method = 'GET', headers = {} as Record<string, string> } = {},
    ) => {
      const path = typeof file === 'string' ? file : file.downloadPath;
      const authorization = as && { authorization: `Bearer ${await gateway.token(as)}` };
      const response = await fetch(`${gateway.url}${path}`, { method, headers: { ...authorization, ...headers } });
      return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
    },
  };
}

describe(`support requests are served, on ${engine}`, () => {
  let gateway: TestGateway;
  let customer: TestCustomer;
  let at: ReturnType<typeof desk>;
  beforeAll(async () => {
    gateway = await startTestGateway();
    at = desk(gateway);
    customer = await aCustomer(gateway);
  });
  afterAll(() => gateway.stop());

  test('rule 21: a request goes from state to state, takes notes, and each change is an entry without what the note says', async () => {
    const { id, number } = await at.submit(customer);
    const supportRequestId = id;
    expect(
      await at.update({ supportRequestId, status: 'ATTENTION_NEEDED', note: 'Which invoice?\nPlease say.' }),
    ).toMatchObject({
      __typename: 'UpdateSupportRequestSuccess',
      supportRequest: { status: 'ATTENTION_NEEDED', notes: [{ text: 'Which invoice?\nPlease say.' }] },
    });
    expect(await at.update({ supportRequestId, note: 'Called.' }, 'ADMIN_AGENT')).toMatchObject({
      supportRequest: {
        status: 'ATTENTION_NEEDED',
        notes: [{}, { text: 'Called.', createdBy: 'agent.anna@partner.example' }],
      },
    });
    expect((await at.update({ supportRequestId, status: 'CLOSED' })).__typename).toBe('UpdateSupportRequestSuccess');
    expect(await at.update({ supportRequestId, status: 'ATTENTION_NEEDED', note: 'not kept' })).toMatchObject({
      __typename: 'SupportStatusNotReachable',
      code: 'SUPPORT_STATUS_NOT_REACHABLE',
      status: 'CLOSED',
      reachable: ['OPEN'],
    });
    expect(await at.update({ supportRequestId, status: 'OPEN' })).toMatchObject({
      supportRequest: { status: 'OPEN', notes: [{}, {}] },
    });
    const entries = (await entriesOf(gateway, { actions: ['SUPPORT_REQUEST_UPDATED'] })).filter(
      ({ resource }) => resource.nodeId === id,
    );
    const change = (statusBefore: string, status: string, noteAdded: boolean) => ({
      __typename: 'SupportRequestUpdatedDetail',
      ...{ supportRequestNumber: number, statusBefore, status, noteAdded },
    });
    expect(entries.map(({ detail }) => detail)).toEqual([
      change('OPEN', 'ATTENTION_NEEDED', true),
      change('ATTENTION_NEEDED', 'ATTENTION_NEEDED', true),
      change('ATTENTION_NEEDED', 'CLOSED', false),
      change('CLOSED', 'OPEN', false),
    ]);
    expect(JSON.stringify(entries)).not.toContain('invoice');
  });

  test('a change that is sent again is one; two at once are both kept; a request has at most 100 notes', async () => {
    const { id: supportRequestId } = await at.submit(customer);
    const input = { idempotencyKey: randomUUID(), supportRequestId, note: 'Once.' };
    for (let time = 0; time < 2; time += 1) await gateway.run(UpdateSupportRequestDocument, { input }, 'ADMIN_AGENT');
    const both = await Promise.all(
      [1, 2].map(() => at.update({ supportRequestId, status: 'CLOSED', note: 'Closing.' })),
    );
    expect(both.map(({ __typename }) => __typename).toSorted()).toEqual([
      'SupportStatusNotReachable',
      'UpdateSupportRequestSuccess',
    ]);
    expect((await at.stored({ id: supportRequestId }))?.notes.map(({ text }) => text)).toEqual(['Once.', 'Closing.']);
    await gateway.sql(
      `insert into support_notes (id, support_request_id, text, created_at, created_by)
       select gen_random_uuid(), ?, 'n', now(), 'a' from generate_series(1, ?)`,
      [supportRequestId.slice(4), MAXIMUM_NOTES - 2],
    );
    expect(await at.update({ supportRequestId, note: 'One more.' })).toMatchObject({ code: 'TOO_MANY_NOTES' });
    expect((await at.update({ supportRequestId, status: 'OPEN' })).__typename).toBe('UpdateSupportRequestSuccess');
    const missing = toGlobalId('SupportRequest', randomUUID());
    expect(await at.update({ supportRequestId: missing, note: 'x' })).toMatchObject({
      code: 'SUPPORT_REQUEST_NOT_FOUND',
    });
  });

  test('rule 21: a file is saved by whoever serves the request, and neither shown, run nor kept by a browser; each download is an entry', async () => {
    const content = `%PDF-1.7\n${'x'.repeat(1_200_000)}\n%%EOF\n`;
    const { id, number, files } = await at.submit(customer, [
      new File([content], 'Rechnung für Müller.pdf', { type: 'application/pdf' }),
    ]);
    const [file] = files;
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(file).toMatchObject({
      state: 'UNSCANNED',
      refusalReason: null,
      sha256,
      uploadedBy: 'agent.anna@partner.example',
    });
    if (!file) throw new Error('no file');
    const { status, headers, body } = await at.get(file);
    expect([status, body.equals(Buffer.from(content))]).toEqual([200, true]);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-length': String(content.length),
      'content-disposition': `attachment; filename="Rechnung f?r M?ller.pdf"; filename*=UTF-8''Rechnung%20f%C3%BCr%20M%C3%BCller.pdf`,
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'private, no-store',
      'accept-ranges': 'bytes',
      etag: `"${sha256}"`,
    });
    expect(headers.get('vary')).toMatch(/authorization/i);
    const [entry] = await entriesOf(gateway, { actions: ['SUPPORT_FILE_DOWNLOADED'] });
    expect(entry).toMatchObject({
      actor: { role: 'HELPDESK_AGENT' },
      resource: { nodeId: id },
      detail: { __typename: 'SupportFileDownloadedDetail', supportRequestNumber: number, fileName: file.name, sha256 },
    });
  });

  test('HEAD, tags and ranges are answered as HTTP has them; what sends no content is no entry', async () => {
    const content = Buffer.from(Array.from({ length: 1_300_000 }, (_, at) => `${at % 10}`).join(''));
    const { files } = await at.submit(customer, [new File([content], 'digits.txt', { type: 'text/plain' })]);
    const file = files[0] as (typeof files)[number];
    const etag = `"${file.sha256}"`;
    const asking = (headers: Record<string, string>, method = 'GET') => at.get(file, { headers, method });
    const downloads = () =>
      gateway.sql(
        `select id from activity_entries where action = 'SUPPORT_FILE_DOWNLOADED' and detail ->> 'sha256' = ?`,
        [file.sha256],
      );
    const head = await asking({}, 'HEAD');
    expect([
      head.status,
      head.body.length,
      head.headers.get('content-length'),
      head.headers.get('content-type'),
    ]).toEqual([200, 0, '1300000', 'text/plain; charset=utf-8']);
    expect(head.headers.get('etag')).toBe(etag);
    for (const [headers, status] of [
      [{ 'if-none-match': `"other", W/${etag}` }, 304],
      [{ 'if-none-match': '*' }, 304],
      [{ 'if-match': '"other"' }, 412],
      [{ range: 'bytes=1300000-' }, 416],
    ] as const) {
      const { status: answered, headers: told } = await asking(headers);
      expect([headers, answered]).toEqual([headers, status]);
      if (status === 416) expect(told.get('content-range')).toBe('bytes */1300000');
    }
    expect(await downloads()).toEqual([]);
    for (const [range, start, end] of [
      ['bytes=0-9', 0, 9],
      ['bytes=-5', 1_299_995, 1_299_999],
      ['bytes=524287-524289', 524_287, 524_289],
      ['bytes=3-99999999', 3, 1_299_999],
    ] as const) {
      const part = await asking({ range, 'if-range': etag });
      expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes ${start}-${end}/1300000`]);
      expect(part.body.equals(content.subarray(start, end + 1))).toBe(true);
    }
    const whole: Record<string, string>[] = [
      { range: 'bytes=0-1,4-5' },
      { range: 'lines=1-2' },
      { range: 'bytes=9-2' },
      { range: 'bytes=0-9', 'if-range': '"other"' },
      { 'if-match': etag },
    ];
    for (const headers of whole) {
      const { status, body } = await asking(headers);
      expect([headers, status, body.length]).toEqual([headers, 200, content.length]);
    }
    expect(await downloads()).toHaveLength(4 + whole.length);
    const post = await asking({}, 'POST');
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  test('rule 21: files are for those who serve requests, and for nobody without a token', async () => {
    const { files } = await at.submit(customer, [new File(['text'], 'a.txt', { type: 'text/plain' })]);
    const file = files[0] as (typeof files)[number];
    for (const role of Object.values(Role)) {
      const as = role === 'CUSTOMER_ADMIN' ? null : role;
      if (as === null) continue;
      const { status } = await at.get(file, { as });
      expect([role, status]).toEqual([role, supporters.includes(role) ? 200 : 403]);
    }
    const admin = await gateway.token('CUSTOMER_ADMIN', { domain: customer.domain, tenantId: customer.tenantId });
    expect((await at.get(file, { as: null, headers: { authorization: `Bearer ${admin}` } })).status).toBe(403);
    const nobody = await at.get(file, { as: null });
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="csp-graph"']);
    for (const id of [toGlobalId('SupportFile', randomUUID()), toGlobalId('Order', randomUUID()), 'rubbish', 'fil_%00'])
      expect([id, (await at.get(`/support-files/${id}`)).status]).toEqual([id, 404]);
    for (const other of ['SALES_AGENT', 'BILLING_ADMIN'] as const) {
      const { data, errors } = await gateway.run(
        UpdateSupportRequestDocument,
        {
          input: {
            idempotencyKey: randomUUID(),
            supportRequestId: toGlobalId('SupportRequest', randomUUID()),
            note: 'x',
          },
        },
        other,
      );
      expect([data.updateSupportRequest, errors?.[0].extensions.code]).toEqual([null, 'FORBIDDEN']);
    }
  });
});

describe(`files are judged before anybody downloads them, on ${engine}`, () => {
  let gateway: TestGateway;
  let scanner: Server;
  let customer: TestCustomer;
  let at: ReturnType<typeof desk>;
  const handed: Record<string, string | string[] | undefined>[] = [];
  /** What the scanner answers to a content; a promise holds it up. */
  let answer: (content: string) => Promise<[number, string]> | [number, string] = () => [200, '{"clean":true}'];
  beforeAll(async () => {
    scanner = createServer(async (request: IncomingMessage, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      handed.push(request.headers);
      const [status, body] = await answer(Buffer.concat(chunks).toString('utf8'));
      response.writeHead(status).end(body);
    }).listen(0, '127.0.0.1');
    await once(scanner, 'listening');
    const url = `http://127.0.0.1:${(scanner.address() as AddressInfo).port}/scan`;
    gateway = await startTestGateway({
      config: { fileScan: { scanner: { kind: 'http', url }, timeoutMs: 5_000 } },
    });
    at = desk(gateway);
    customer = await aCustomer(gateway);
  });
  afterAll(async () => {
    await gateway.stop();
    scanner.closeAllConnections();
    scanner.close();
  });
  const aText = (name: string, content: string) => new File([content], name, { type: 'text/plain' });
  const fileOf = async (request: { id: string }) => {
    const file = (await at.stored(request))?.files[0];
    if (!file) throw new Error('it has no file');
    return file;
  };
  const judged = (request: { id: string }, state: string) =>
    until(`the file is ${state}`, async () => (await fileOf(request)).state === state);

  test('rule 21: until it is judged nobody has a file; then it is downloaded', async () => {
    let release: (value: [number, string]) => void = () => undefined;
    answer = () => new Promise((resolve) => (release = resolve));
    const request = await at.submit(customer, [aText('geschäft.txt', 'a clean text')]);
    const file = await fileOf(request);
    expect(file.state).toBe('UNSCANNED');
    const early = await at.get(file);
    expect([early.status, early.headers.get('retry-after')]).toEqual([503, '5']);
    expect(JSON.parse(early.body.toString())).toMatchObject({
      errors: [{ extensions: { code: 'UNAVAILABLE', state: 'UNSCANNED' } }],
    });
    await until('the scanner is asked', () => handed.length > 0);
    release([200, '{"clean":true}']);
    await judged(request, 'CLEAN');
    expect((await at.get(file)).body.toString()).toBe('a clean text');
    expect(handed[0]).toMatchObject({
      'x-file-name': 'gesch%C3%A4ft.txt',
      'x-file-type': 'text/plain',
      'x-file-sha256': file.sha256,
    });
    expect(handed).toHaveLength(1);
  });

  test('rule 21: a refused file is named with its reason, given to nobody, and an entry', async () => {
    answer = (content) => [
      200,
      JSON.stringify({ clean: !content.includes('EICAR'), reason: 'Eicar-Signature\nFOUND' }),
    ];
    const request = await at.submit(customer, [aText('test.txt', 'EICAR'), aText('other.txt', 'fine')]);
    await until('the file is refused', async () =>
      ((await at.stored(request))?.files ?? []).some(({ state }) => state === 'REFUSED'),
    );
    const { files } = (await at.stored(request)) as NonNullable<Awaited<ReturnType<typeof at.stored>>>;
    const refusedFile = files.find(({ name }) => name === 'test.txt');
    expect(refusedFile).toMatchObject({ state: 'REFUSED', refusalReason: 'Eicar-Signature', downloadPath: null });
    const answered = await at.get(`/support-files/${refusedFile?.id}`);
    expect(answered.status).toBe(403);
    expect(answered.body.toString()).toContain('test.txt was refused: Eicar-Signature');
    await until('the other file is judged', async () =>
      ((await at.stored(request))?.files ?? []).some(({ state }) => state === 'CLEAN'),
    );
    expect(await entriesOf(gateway, { actions: ['SUPPORT_FILE_REFUSED'] })).toMatchObject([
      {
        outcome: 'FAILED',
        actor: { userPrincipalName: 'agent.anna@partner.example', role: 'ADMIN_AGENT' },
        resource: { nodeId: request.id },
        detail: { __typename: 'SupportFileRefusedDetail', fileName: 'test.txt', refusalReason: 'Eicar-Signature' },
      },
    ]);
  });

  test('a scanner that has no answer to give is asked again, later each time; files from before are judged too', async () => {
    const before = handed.length;
    answer = () => [500, 'busy'];
    const request = await at.submit(customer, [aText('later.txt', 'later')]);
    const file = await fileOf(request);
    const row = async () =>
      (
        await gateway.sql<{ attempts: number; pause: number }>(
          'select scan_attempts as attempts, extract(epoch from scan_due_at - clock_timestamp())::float as pause from support_files where id = ?',
          [file.id.slice(4)],
        )
      )[0] as { attempts: number; pause: number };
    // The lease ends with the scanner's time; a failure puts the file off by less.
    await until('the file is put off', async () => (await row()).attempts === 1 && (await row()).pause < 6);
    expect((await at.get(file)).status).toBe(503);
    expect(handed.length).toBe(before + 1);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toMatch(/csp_graph_support_files_unscanned 1\n/);
    expect(metrics).toMatch(/csp_graph_support_files_unscanned_age_seconds \d/);
    expect(gateway.log.join('')).toContain('the scanner answered 500');
    answer = () => [200, '{"clean":true}'];
    await gateway.sql(`update support_files set scan_due_at = now() where id = ?`, [file.id.slice(4)]);
    gateway.gateway.services.fileAttached();
    await judged(request, 'CLEAN');
    expect((await row()).attempts).toBe(2);
  });

  const asked = (script: string, timeoutMs = 5_000): Promise<Finding> =>
    askScanner(
      { scanner: { kind: 'command', command: '/bin/sh', args: ['-c', script] }, timeoutMs },
      { name: 'a.txt', contentType: 'text/plain', sha256: '', content: Buffer.from('x'.repeat(200_000)) },
    );
  test.each<[string, Finding | RegExp]>([
    ['test "$(wc -c)" -eq 200000', { verdict: 'CLEAN' }],
    ['echo "stream: Eicar FOUND"; exit 1', { verdict: 'REFUSED', reason: 'stream: Eicar FOUND' }],
    ['exit 1', { verdict: 'REFUSED', reason: 'The scanner refused it, and gave no reason.' }],
    ['echo "no database" >&2; exit 2', /exited with 2: no database/],
    ['kill -9 $$', /exited with null/],
    ['test -z "$SIGNING_SECRET$HOME"', { verdict: 'CLEAN' }],
  ])('a program judges by its exit code: %s', async (script, expected) => {
    if ('verdict' in expected) expect(await asked(script)).toEqual(expected);
    else await expect(asked(script)).rejects.toThrow(expected);
  });

  test('a program that does not end is killed, and one that is not there is told', async () => {
    await expect(asked('exec sleep 60', 200)).rejects.toThrow('did not answer for 200 ms');
    await expect(
      askScanner(
        { scanner: { kind: 'command', command: '/nonexistent/scan', args: [] }, timeoutMs: 1_000 },
        { name: 'a', contentType: 'text/plain', sha256: '', content: Buffer.from('x') },
      ),
    ).rejects.toThrow('ENOENT');
  });
});
