import { execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { createSigner } from '../src/lib/signing.js';
import { ActivityFeedDocument, SubmitSupportRequestDocument } from './generated/graphql.js';
import { cancel, confirming, quoteOf } from './support/cancelling.js';
import { engine, serverUrl, testDatabase, unpackDatabase } from './support/database.js';
import { openEvents } from './support/event-stream.js';
import { type Caller, startTestGateway, type TestGateway } from './support/gateway.js';
import { findLeaks, type Named } from './support/leaks.js';
import { openAcknowledged, openRaw } from './support/raw-socket.js';
import { aCustomer, buy, skus, stockShop } from './support/shop.js';
import { buySoftware, everyRow, keyOf, linkOf, reveal, settled } from './support/software.js';
import { until } from './support/until.js';

const signingSecret = randomBytes(48).toString('base64');
const keySecrets = [randomBytes(32), randomBytes(32)] as const;
const password = `pass-${randomUUID()}`;
const settingsSecrets: Named[] = [
  ['signing secret', signingSecret],
  ['encryption key', keySecrets[0].toString('base64')],
  ['encryption key', keySecrets[0].toString('hex')],
  ['old encryption key', keySecrets[1].toString('base64')],
  ['old encryption key', keySecrets[1].toString('hex')],
  ['database password', password],
];
/** The bytes of a key as a logger shows them. */
const bytesOf = (bytes: Uint8Array) => JSON.stringify(new Uint8Array(bytes)).slice(1, -1);
for (const secret of keySecrets) settingsSecrets.push(['encryption key', bytesOf(secret)]);

const folder = mkdtempSync(join(tmpdir(), 'csp-graph-secrets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what looks for secrets', () => {
  test.each<Named>([
    ['as it is', 'BCDFG-HJKMN-PQRTV-WXY23-46789'],
    ['without its dashes', 'BCDFGHJKMNPQRTVWXY2346789'],
    ['in hexadecimal, as a dump shows bytes', Buffer.from('BCDFG-HJKMN-PQRTV-WXY23-46789').toString('hex')],
    ['in Base64', Buffer.from('BCDFG-HJKMN-PQRTV-WXY23-46789').toString('base64')],
    ['as bytes in JSON', JSON.stringify(Buffer.from('BCDFG-HJKMN-PQRTV-WXY23-46789'))],
  ])('finds one %s', (_, form) => {
    const key: Named = ['key', 'BCDFG-HJKMN-PQRTV-WXY23-46789'];
    expect(findLeaks([key], [['log', `{"err": "${form}"}`]])).toEqual([expect.stringContaining('key in log')]);
    expect(findLeaks([key], [['log', form.slice(0, -12)]])).toEqual([]);
  });

  test('finds the signature of a token without the rest', async () => {
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).sign(randomBytes(32));
    const [header, claims, signature] = token.split('.');
    expect(findLeaks([['token', token]], [['log', `${header}.${claims}`]])).toEqual([]);
    expect(findLeaks([['token', token]], [['log', `signed with ${signature}`]])).toHaveLength(1);
  });
});

describe(`secrets after a full story, on ${engine}`, () => {
  let gateway: TestGateway;
  const secrets: Named[] = [...settingsSecrets];
  /** Every answer: its address, status, headers and body, but for those that hand a secret out. */
  const answers: Named[] = [];
  /** What was written to standard output and standard error. */
  const written: string[] = [];
  const restore: (() => void)[] = [];
  let isHandingOut = false;

  beforeAll(async () => {
    const database = await testDatabase();
    if (database.config.kind === 'server') {
      // Where the server trusts who comes from here it asks for none; what the gateway is given is a secret all the same.
      const url = new URL(database.config.url);
      if (url.password) secrets.push(['database password', decodeURIComponent(url.password)]);
      else url.password = password;
      database.config.url = url.href;
    }
    gateway = await startTestGateway({
      database,
      config: {
        logLevel: 'debug',
        signingSecret: new TextEncoder().encode(signingSecret),
        productKeySecrets: [
          { keyId: 'k2', secret: keySecrets[0] },
          { keyId: 'k1', secret: keySecrets[1] },
        ],
        sealIntervalMs: 50,
      },
    });
    const { fetch } = globalThis;
    globalThis.fetch = async (input, init) => {
      const authorization = new Headers(init?.headers).get('authorization');
      const token = /^Bearer (.*)$/.exec(authorization ?? '')?.[1];
      if (token) secrets.push(['bearer token', token]);
      const response = await fetch(input, init);
      if (!isHandingOut) {
        const head = JSON.stringify([...response.headers]);
        answers.push([`answer ${response.status}`, `${head}\n${await response.clone().text()}`]);
      }
      return response;
    };
    restore.push(() => {
      globalThis.fetch = fetch;
    });
    for (const stream of [process.stdout, process.stderr]) {
      const { write } = stream;
      stream.write = ((chunk: unknown, ...rest: []) => {
        written.push(String(chunk));
        return write.call(stream, chunk as string, ...rest);
      }) as typeof write;
      restore.push(() => {
        stream.write = write;
      });
    }
    await stockShop(gateway);
  });
  afterAll(async () => {
    for (const undo of restore) undo();
    await gateway.stop();
  });

  /** An answer that hands out a secret, which is one from then on. */
  async function handedOut<Result>(
    name: string,
    work: () => Promise<Result>,
    secretOf: (result: Result) => string,
  ): Promise<Result> {
    isHandingOut = true;
    const result = await work().finally(() => {
      isHandingOut = false;
    });
    secrets.push([name, secretOf(result)]);
    return result;
  }
  const tokenIn = (url: string) => /[\w-]+\.[\w-]+\.[\w-]+(?=$|\/files$)/.exec(url)?.[0] as string;
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  const submitFor = async (customer: { id: string }, title = 'Refund') =>
    gateway.run(
      SubmitSupportRequestDocument,
      {
        input: {
          idempotencyKey: randomUUID(),
          customerId: customer.id,
          topic: 'CSP Purchase/Refund on behalf of customers',
          impact: 'MODERATE',
          title,
          description: 'Bought twice.',
          contact: { name: 'Anna Agent', email: 'anna@partner.example', phone: '+39 02 1234567' },
        },
      },
      'ADMIN_AGENT',
    );
  /** Makes every insert into a table fail while `work` runs, in an error that shows the whole row. */
  async function whileInsertsFail(table: string, work: () => Promise<unknown>): Promise<void> {
    await gateway.sql(
      `create function show_row() returns trigger language plpgsql as 'begin raise exception ''does not fit: %'', new using detail = new::text; end'`,
    );
    await gateway.sql(`create trigger show_row before insert on ${table} for each row execute function show_row()`);
    const before = gateway.log.length;
    await work();
    await gateway.sql(`drop trigger show_row on ${table}`);
    await gateway.sql('drop function show_row()');
    // It was told, or there would be nothing to look through.
    expect(gateway.log.slice(before).join('\n')).toContain('does not fit');
  }

  test('none is in a log line, an error, an entry, an export, a metric, or a row of any table', async () => {
    const customer = await aCustomer(gateway);
    const other = await aCustomer(gateway);
    const feed = await gateway.subscribe(ActivityFeedDocument);
    const events = await openEvents(gateway, { query: String(ActivityFeedDocument) });
    const messages: unknown[] = [];
    const collecting = (async () => {
      for (let message = await feed.next(); message; message = await feed.next()) messages.push(message);
    })();

    // A purchase, its key under the old encryption key and under the new one, a link, a download.
    const software = await buySoftware(gateway, customer);
    const [first, second] = software.versions.map(({ version }) => version) as [string, string];
    await handedOut(
      'product key',
      () => keyOf(gateway, software, first),
      (key) => key,
    );
    await handedOut(
      'product key',
      () => keyOf(gateway, software, second),
      (key) => key,
    );
    const { url } = await handedOut(
      'link',
      () => linkOf(gateway, software),
      (link) => tokenIn(link.url),
    );
    expect((await fetch(url)).status).toBe(200);

    // A support request with a file.
    const submitted = await handedOut(
      'upload address',
      () => submitFor(customer),
      ({ data }) => tokenIn((data.submitSupportRequest as { uploadUrl: string }).uploadUrl),
    );
    const { uploadUrl } = submitted.data.submitSupportRequest as { uploadUrl: string };
    const upload = (to: string, type = 'text/plain') => {
      const form = new FormData();
      form.append('file', new File(['receipt'], 'receipt.txt', { type }));
      return fetch(to, { method: 'POST', body: form });
    };
    expect((await upload(uploadUrl)).status).toBe(201);

    // A quote that is honoured, and one that is not.
    const quoted = await handedOut(
      'quote',
      () => quoteOf(gateway, software.order),
      (quote) => quote.quoteToken as string,
    );
    const another = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    expect((await cancel(gateway, another, { quoteToken: quoted.quoteToken ?? null })).__typename).toBe(
      'QuoteNotApplicable',
    );

    // Refusals of every kind: of a role, a tenant, a version, an input, a document, a body, an address.
    await reveal(gateway, software.entitlementId, first, 'REPORT_VIEWER');
    const stranger = {
      token: await gateway.token('CUSTOMER_ADMIN', { domain: other.domain, tenantId: other.tenantId }),
    };
    await reveal(gateway, software.entitlementId, first, stranger);
    await reveal(gateway, software.entitlementId, '1999');
    await reveal(gateway, 'rubbish', first);
    await gateway.run('{ nothing }');
    await gateway.run('{ broken');
    const bearer = await gateway.token('ADMIN_AGENT');
    secrets.push(['bearer token', bearer]);
    const authorization = `Bearer ${bearer}`;
    await post('{"query": ', { authorization });
    await post('{"query": "{ __typename }"}', { authorization, 'content-type': 'text/plain' });
    await post(JSON.stringify({ query: `{ ${'a '.repeat(300_000)} }` }), { authorization });
    await fetch(`${gateway.url}/graphql?query=mutation{x}`, { headers: { authorization } });
    for (const path of ['/nothing', `/downloads/${tokenIn(url)}/more`, `/support-requests/${tokenIn(uploadUrl)}/more`])
      expect((await fetch(`${gateway.url}${path}?token=${bearer}`, { headers: { authorization } })).status).toBe(404);
    await fetch(`${gateway.url}/downloads/%zz?token=${bearer}`);
    await upload(uploadUrl, 'application/x-msdownload');
    await fetch(uploadUrl, { method: 'POST', body: 'no form' });

    // Tokens that do not hold, over every transport.
    const signer = createSigner(new TextEncoder().encode(signingSecret));
    const bad: [string, string][] = [
      ['expired token', await gateway.token('ADMIN_AGENT', { ttl: '-1h' })],
      [
        'forged token',
        await new SignJWT({ roles: ['GLOBAL_ADMIN'] }).setProtectedHeader({ alg: 'HS256' }).sign(randomBytes(32)),
      ],
      ['link as a token', tokenIn(url)],
      ['no token', `not-a-token-${randomUUID()}`],
      ['expired upload address', await signer.sign('upload', { supportRequest: randomUUID() }, new Date(0))],
    ];
    for (const [name, token] of bad) {
      secrets.push([name, token]);
      const as: Caller = { token };
      expect((await gateway.run('{ __typename }', {}, as)).status).toBe(401);
      answers.push(['event stream', await (await openEvents(gateway, { query: '{ __typename }', as })).text()]);
      const socket = await openRaw(gateway);
      socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
      answers.push(['close of a socket', JSON.stringify(await socket.closed)]);
      for (const address of ['downloads', 'support-requests'])
        await fetch(`${gateway.url}/${address}/${token}${address === 'downloads' ? '' : '/files'}`, {
          method: address === 'downloads' ? 'GET' : 'POST',
        });
      await fetch(`${gateway.url}/exports/activity.csv`, { headers: { authorization: `Bearer ${token}` } });
    }
    const socket = await openAcknowledged(gateway, bearer);
    socket.send(`{"type": "subscribe", "authorization": "Bearer ${bearer}"`);
    answers.push(['close of a socket', JSON.stringify(await socket.closed)]);

    // What fails inside, with the whole row in the error.
    const unread = await buySoftware(gateway, customer);
    await whileInsertsFail('product_keys', () => reveal(gateway, unread.entitlementId, first));
    const unused = (await linkOf(gateway, software)).url;
    await whileInsertsFail('activity_entries', async () => {
      expect((await reveal(gateway, software.entitlementId, first)).errors).toHaveLength(1);
      await expect(linkOf(gateway, software)).rejects.toThrow('INTERNAL_SERVER_ERROR');
      expect((await fetch(unused)).status).toBe(500);
      await submitFor(customer, 'fails');
    });
    await whileInsertsFail('download_links', () => linkOf(gateway, software).catch(() => undefined));
    await whileInsertsFail('support_files', () => upload(uploadUrl));
    await whileInsertsFail('idempotency_keys', () => submitFor(customer, 'fails'));
    await gateway.sql(`update product_keys set sealed = '\\x00' where version = ?`, [second]);
    expect((await reveal(gateway, software.entitlementId, second)).errors).toHaveLength(1);
    if (serverUrl) {
      const dying = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
      await gateway.sql(dying).catch(() => undefined);
      await until(
        'it answers again',
        async () => (await gateway.run('{ customers { nodes { id } } }')).errors === undefined,
      );
    }

    // The end of it: cancelled as quoted, key and link dead.
    await confirming(gateway, customer, () =>
      cancel(gateway, software.order, { quoteToken: quoted.quoteToken ?? null }),
    );
    await reveal(gateway, software.entitlementId, first);
    expect((await fetch(url)).status).toBe(410);
    await settled(gateway);
    await until('the log is sealed', async () => (await gateway.gateway.sealer.state()).unsealed === 0);

    // Everything that anybody can read afterwards.
    const admin = { authorization: `Bearer ${await gateway.token('GLOBAL_ADMIN')}` };
    for (const path of [
      '/metrics',
      '/health/live',
      '/health/ready',
      '/schema.graphql',
      '/exports/activity.csv',
      '/exports/activity.jsonl',
      '/exports/activity.jsonl?manifest=1',
    ])
      expect([path, (await fetch(`${gateway.url}${path}`, { headers: admin })).status]).toEqual([path, 200]);
    const { data } = await gateway.run(`{ activity(last: 100) { nodes { id action outcome correlationId
      actor { userPrincipalName role application } resource { type nodeId label } detail { __typename } } } }`);
    const actions = new Set((data.activity.nodes as { action: string }[]).map(({ action }) => action));
    expect([...actions]).toEqual(
      expect.arrayContaining([
        'PRODUCT_KEY_REVEALED',
        'SOFTWARE_DOWNLOADED',
        'ACCESS_DENIED',
        'CANCELLATION_CONFIRMED',
      ]),
    );
    events.end();
    await feed.end();
    await collecting;
    const dump = await everyRow(gateway);
    const texts: Named[] = [
      ...answers,
      ['feed', JSON.stringify(messages)],
      ['log', gateway.log.join('\n')],
      ['standard output or error', written.join('\n')],
      ['dump', dump],
    ];

    // It would be found: everything was looked through, and every kind of secret was looked for.
    expect(new Set(secrets.map(([name]) => name)).size).toBeGreaterThanOrEqual(13);
    expect(messages.length).toBeGreaterThan(5);
    expect(dump).toContain(software.entitlementId.slice(4));
    for (const [, secret] of secrets) {
      gateway.gateway.services.log.debug({ planted: { secret } }, 'planted');
      expect(findLeaks([['planted', secret]], [['log', gateway.log.at(-1) ?? '']])).toHaveLength(1);
    }
    expect(findLeaks(secrets, texts)).toEqual([]);
  });
});

describe('secrets when it starts, or does not', () => {
  /** All that a program says that ends by itself, other than well. */
  const run = async (program: string, settings: Record<string, string>, ...args: string[]) => {
    const env = { PATH: process.env['PATH'], DATA_DIR: folder, LOG_LEVEL: 'debug', DEMO_DATA: 'false', ...settings };
    const { code, said } = await new Promise<{ code: unknown; said: string }>((resolve) => {
      // Whatever serves instead is not left behind.
      const limits = { timeout: 60_000, killSignal: 'SIGKILL' } as const;
      execFile(process.execPath, [`dist/src/${program}.js`, ...args], { env, ...limits }, (error, out, err) =>
        resolve({ code: error?.code, said: out + err }),
      );
    });
    expect([program, code]).toEqual([program, expect.any(Number)]);
    return said;
  };
  const secret = `hunter-${randomUUID()}`;
  const file = (name: string, content: string) => {
    const path = join(folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, content);
    return path;
  };

  test.each<[string, () => Record<string, string>]>([
    ['a short one', () => ({ SIGNING_SECRET: secret.slice(0, 31) })],
    ['malformed keys', () => ({ PRODUCT_KEY_SECRETS: `k1:${secret}` })],
    ['another database', () => ({ DATABASE_URL: `mysql://user:${secret}@localhost/db` })],
    ['no port', () => ({ DATABASE_URL: `postgres://user:${secret}@localhost:none/db` })],
    ['a password that is not encoded', () => ({ DATABASE_URL: `postgres://user:%${secret}@127.0.0.1:1/db` })],
    ['nobody there', () => ({ DATABASE_URL: `postgres://user:${secret}@127.0.0.1:1/db` })],
    ['no such host', () => ({ DATABASE_URL: `postgres://user:${secret}@nowhere.invalid/db` })],
    [
      'a replica that is none',
      () => ({
        DATABASE_URL: `postgres://user:${secret}@127.0.0.1:1/db`,
        DATABASE_REPLICA_URL: `http://user:${secret}@h`,
      }),
    ],
    ['NATS', () => ({ NATS_URL: `nats://user:${secret}@host:none` })],
    ['NATS with a password that is not encoded', () => ({ NATS_URL: `nats://user:%${secret}@host` })],
    ['a file with the wrong thing', () => ({ PRODUCT_KEY_SECRETS_FILE: file('keys', secret) })],
    ['a file too short', () => ({ SIGNING_SECRET_FILE: file('short', secret.slice(0, 31)) })],
    ['secrets.json', () => ({ DATA_DIR: join(file('broken/secrets.json', `{"signingSecret": ${secret}`), '..') })],
  ])('wrong settings are told without them: %s', async (_, settings) => {
    mkdirSync(join(folder, 'broken'), { recursive: true });
    const given = settings();
    const texts = await Promise.all([
      run('main', given),
      run('cli/migrate', given),
      run('cli/rotate-keys', given, '--dry-run'),
    ]);
    for (const text of texts) {
      expect(text).toMatch(/[A-Z]+_[A-Z]+/);
      expect(findLeaks([['secret', secret.slice(0, 31)]], [['output', text]])).toEqual([]);
    }
  });

  test('a gateway that starts, serves and stops writes none', async () => {
    const home = join(folder, 'home');
    if (!serverUrl) unpackDatabase(join(home, 'postgres'));
    const database = serverUrl ? await testDatabase() : undefined;
    const url = database?.config.kind === 'server' ? new URL(database.config.url) : undefined;
    if (url && !url.password) url.password = password;
    const child = spawn(process.execPath, ['dist/src/main.js'], {
      env: {
        PATH: process.env['PATH'],
        DATA_DIR: home,
        PORT: '0',
        LOG_LEVEL: 'debug',
        DEMO_DATA: 'false',
        SIGNING_SECRET: signingSecret,
        PRODUCT_KEY_SECRETS: `k2:${keySecrets[0].toString('base64')},k1:${keySecrets[1].toString('base64')}`,
        ...(url ? { DATABASE_URL: url.href } : {}),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        said += text;
      });
    const ended = new Promise((resolve) => child.once('close', resolve));
    await until('it greets', () => said.includes('npm run') || child.exitCode !== null);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    await database?.drop();
    expect(said).toContain('stopping');
    expect(findLeaks(settingsSecrets, [['output', said]])).toEqual([]);
  });
});
