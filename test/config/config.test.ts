import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import { readConfig } from '../../src/config/config.js';
import { ConfigError } from '../../src/config/config-error.js';
import { secretSettings, settingNames } from '../../src/config/settings.js';
import { EmbeddedDatabaseInUse, lockEmbeddedDatabase } from '../../src/database/embedded-lock.js';
import { openOrm } from '../../src/database/orm.js';
import { Role } from '../../src/domain/role.js';
import { entities } from '../../src/schema/entities.js';
import { unpackDatabase } from '../support/database.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://user@db.example:5432/csp',
  AUTH_JWKS_URL: 'https://login.example/keys',
  AUTH_ISSUER: 'https://login.example/',
  AUTH_AUDIENCE: 'api://csp-graph',
  SIGNING_SECRET: 'a secret of forty-eight characters or a bit more',
  PRODUCT_KEY_SECRETS: `k2:${KEY},k1:${KEY}`,
  PUBLIC_URL: 'https://graph.example.com',
  ADMIN_PORT: '4001',
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'csp-graph-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (settings: Record<string, string> = {}) => readConfig({ DATA_DIR: folder, ...settings });
const problemsOf = (settings: Record<string, string>): string[] => {
  try {
    read(settings);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
};
/** Runs a script of the compiled gateway to its end. */
const runScript = (args: string[], settings: Record<string, string> = {}) =>
  new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const { PATH = '' } = process.env;
    const child = execFile(
      process.execPath,
      args,
      { env: { PATH, DATA_DIR: folder, ...settings } },
      (_error, out, err) => resolve({ code: child.exitCode, out, err }),
    );
  });
const module = (name: string) => JSON.stringify(join(process.cwd(), 'dist/src', name));

describe('settings', () => {
  test('trusted documents bind everybody, unless roles are named', () => {
    expect(read().trustedDocuments).toBeNull();
    expect(read({ TRUSTED_DOCUMENTS: 'schema/operations, schema/operations/access.graphql' }).trustedDocuments).toEqual(
      {
        paths: ['schema/operations', 'schema/operations/access.graphql'],
        roles: [...Object.keys(Role), 'ANONYMOUS'],
      },
    );
    const named = { TRUSTED_DOCUMENTS: 'schema/operations', TRUSTED_DOCUMENTS_ROLES: 'SALES_AGENT,ANONYMOUS' };
    expect(read(named).trustedDocuments?.roles).toEqual(['SALES_AGENT', 'ANONYMOUS']);
  });

  test('Partner Center needs its tenant, an application and one of two credentials, all told at once', () => {
    const id = '0f5b1a7c-1111-4222-8333-944455556666';
    const given = {
      PARTNER_CENTER_TENANT_ID: id,
      PARTNER_CENTER_CLIENT_ID: id,
      PARTNER_CENTER_CLIENT_SECRET: 's3cret',
    };
    expect(read().partnerCenter).toBeNull();
    expect(read(given).partnerCenter).toEqual({
      tenantId: id,
      clientId: id,
      credential: { kind: 'secret', secret: 's3cret' },
      serviceUrl: 'https://api.partnercenter.microsoft.com',
      authorityUrl: 'https://login.microsoftonline.com',
      audience: 'https://api.partnercenter.microsoft.com',
      isSandbox: false,
      callsPerMinute: 400,
      syncSeconds: 60,
      crawlDays: 7,
      timeoutMs: 120_000,
    });
    const china = read({ ...given, PARTNER_CENTER_CLOUD: 'china', PARTNER_CENTER_SANDBOX: 'true' }).partnerCenter;
    expect(china).toMatchObject({ audience: 'https://partner.partnercenterapi.microsoftonline.cn', isSandbox: true });
    const standIn = read({ ...given, PARTNER_CENTER_URL: 'http://127.0.0.1:4100/' }).partnerCenter;
    expect(standIn).toMatchObject({ serviceUrl: 'http://127.0.0.1:4100', authorityUrl: 'http://127.0.0.1:4100' });
    const problems = problemsOf({
      PARTNER_CENTER_TENANT_ID: 'contoso',
      PARTNER_CENTER_CERTIFICATE: 's3cret',
      PARTNER_CENTER_CLIENT_SECRET: 's3cret',
      PARTNER_CENTER_CLOUD: 'moon',
      PARTNER_CENTER_URL: 'http://api.example',
      PARTNER_CENTER_CALLS_PER_MINUTE: '0',
      JOB_TIME_LIMIT_MS: '30000',
      DEMO_DATA: 'true',
    });
    const about = [
      'TENANT_ID: must',
      'CERTIFICATE: must',
      'CLOUD: must',
      'URL: must',
      'CALLS_PER_MINUTE: must',
      'CLIENT_ID: needed',
    ];
    for (const what of about) expect(problems).toContainEqual(expect.stringContaining(`PARTNER_CENTER_${what}`));
    for (const what of ['CLIENT_SECRET, PARTNER_CENTER_CERTIFICATE: set one', 'URL, PARTNER_CENTER_CLOUD: set one'])
      expect(problems).toContainEqual(expect.stringContaining(`PARTNER_CENTER_${what}`));
    for (const what of ['JOB_TIME_LIMIT_MS: must be longer', 'DEMO_DATA: not beside'])
      expect(problems).toContainEqual(expect.stringContaining(what));
    expect(problems.join()).not.toContain('s3cret');
  });

  test('NATS needs an address and a database server, and its credentials are not told', () => {
    const DATABASE_URL = production.DATABASE_URL;
    const url = 'nats://user:s3cret@one:4222,tls://two:4222';
    expect(read({ DATABASE_URL, NATS_URL: url, NATS_STREAM_MAX_AGE_MS: '60000' }).nats).toEqual({
      url,
      maxAgeMs: 60_000,
      maxBytes: 268_435_456,
    });
    expect(read({ DATABASE_URL }).nats).toBeNull();
    expect(problemsOf({ NATS_URL: url })).toEqual([expect.stringMatching(/^NATS_URL: needs DATABASE_URL/)]);
    for (const wrong of [
      'http://user:s3cret@one',
      'nats://user:s3cret@one:99999',
      'nats://one, nats://user:s3cret@two',
    ])
      expect(problemsOf({ DATABASE_URL, NATS_URL: wrong })).toEqual([
        'NATS_URL: must look like nats://host:4222 or tls://host:4222, several joined by commas',
      ]);
  });

  test('none are needed to try it out', () => {
    expect(read()).toMatchObject({
      production: false,
      host: '127.0.0.1',
      port: 4000,
      publicUrl: null,
      database: { kind: 'embedded', dataDir: join(folder, 'postgres') },
      auth: { kind: 'demo' },
      demoData: true,
      fulfilmentDelayMs: 2_000,
    });
  });

  test('.env.example names every one, with its default', () => {
    const settings = [...readFileSync('.env.example', 'utf8').matchAll(/^#(\w+)=(.*)$/gm)].map(
      ([, name = '', value = '']) => [name, value] as const,
    );
    expect(settings.map(([name]) => name).toSorted()).toEqual(settingNames.toSorted());
    expect(read({ ...Object.fromEntries(settings), DATA_DIR: folder })).toEqual(read());
    // What only a server has.
    const { DATABASE_URL } = production;
    const { DEMO_DATA: _demo, ...server } = Object.fromEntries(settings);
    expect(read({ ...server, DATABASE_URL, DATA_DIR: folder })).toEqual(read({ DATABASE_URL }));
    expect(Object.fromEntries(settings)).toMatchObject({ DATA_DIR: '.data', LOG_LEVEL: 'warn' });
  });

  test('an empty one counts as left out', () => {
    expect(read({ PORT: '', DATABASE_URL: '', NODE_ENV: '', DEMO_DATA: '' })).toMatchObject({
      port: 4000,
      demoData: true,
    });
  });

  test('a server database has no demonstration data unless asked for', () => {
    const { DATABASE_URL } = production;
    expect(read({ DATABASE_URL })).toMatchObject({ database: { kind: 'server', url: DATABASE_URL }, demoData: false });
    expect(read({ DATABASE_URL, DEMO_DATA: 'true' }).demoData).toBe(true);
  });

  test('the address for clients loses its last slash', () => {
    expect(read({ PUBLIC_URL: 'https://graph.example.com/' }).publicUrl).toBe('https://graph.example.com');
  });

  test.each([
    ['PORT', 'http', 'port number from 0 to 65535'],
    ['PORT', '65536', 'port number from 0 to 65535'],
    ['PORT', '-1', 'port number from 0 to 65535'],
    ['PORT', '80.5', 'port number from 0 to 65535'],
    ['NODE_ENV', 'prod', 'development, test, production'],
    ['PUBLIC_URL', 'graph.example.com', 'https://graph.example.com'],
    ['PUBLIC_URL', 'ftp://graph.example.com', 'https://graph.example.com'],
    ['PUBLIC_URL', 'https://user:secret@graph.example.com', 'without user'],
    ['PUBLIC_URL', 'https://graph.example.com/path?q=1#f', 'query and fragment'],
    ['DATABASE_URL', 'mysql://db', 'postgres://user@host:5432/database'],
    ['DATABASE_URL', 'postgres://user:100%@db', 'special in a password as %XX'],
    ['DATABASE_POOL_SIZE', '1', 'from 2 to 500'],
    ['DATABASE_POOL_SIZE', 'many', 'from 2 to 500'],
    ['STATEMENT_TIMEOUT_MS', '15s', 'milliseconds from 0 to 600000'],
    ['AUTH_JWKS_URL', 'keys', 'key set'],
    ['AUTH_JWKS_URL', 'http://login.example/keys', 'https address'],
    ['AUTH_JWKS_URL', 'https://user:hunter2@login.example/keys', 'https address'],
    ['AUTH_JWKS_URL', 'https://login.example/keys,http://login.example/keys', 'https address'],
    ['AUTH_ISSUER', 'https://login.example/{tenant}', '\\{tenantid\\}'],
    ['AUTH_AUDIENCE', 'api://csp-graph,', 'joined by commas'],
    ['AUTH_ROLES', 'roles:CSP.AdminAgent=ADMIN_AGENT', 'CLAIM=VALUE:ROLE'],
    ['AUTH_ROLES', 'roles=CSP.AdminAgent:KING', 'with the roles of the graph'],
    ['AUTH_MAX_TOKEN_LIFE_MS', '0', 'from 60000'],
    ['AUTH_AUTHORITY', 'http://login.example', 'https address'],
    ['AUTH_SCOPES', 'profile', 'openid among them'],
    ['PARTNER_TENANT_ID', 'contoso', 'GUID'],
    ['SIGNING_SECRET', 'short', 'openssl rand -base64 48'],
    ['PRODUCT_KEY_SECRETS', 'k1:c2hvcnQ=', 'openssl rand -base64 32'],
    ['PRODUCT_KEY_SECRETS', KEY, 'ID:BASE64'],
    ['PRODUCT_KEY_SECRETS', `k1:${KEY},k1:${KEY}`, 'names a key id twice'],
    ['FULFILMENT_DELAY_MS', '900001', 'from 0 to 900000'],
    ['FEED_POLL_MS', '0', 'from 5 to 10000'],
    ['FEED_CHECKPOINT_MS', '0', 'from 100 to 30000'],
    ['SOCKET_PING_MS', '0', 'from 100 to 600000'],
    ['HORIZON_WARN_MS', '-1', 'from 0 to 3600000'],
    ['DRAIN_TIMEOUT_MS', '-1', 'from 0 to 600000'],
    ['DEMO_DATA', 'yes', 'true, false'],
    ['LOG_LEVEL', 'verbose', 'fatal, error, warn, info, debug, silent'],
    ['TRUSTED_DOCUMENTS', 'schema/operations,', 'joined by commas'],
    ['TRUSTED_DOCUMENTS', 'schema/operations,/nowhere', '/nowhere does not exist'],
    ['TRUSTED_DOCUMENTS_ROLES', 'SALES_AGENT,KING', 'roles of the graph'],
    ['TRUSTED_DOCUMENTS_ROLES', 'SALES_AGENT', 'needs TRUSTED_DOCUMENTS'],
    ['DOWNLOADS_DIR', '/nowhere', 'create it or leave the setting out'],
    ['DOWNLOADS_STORE_URL', 'http://s3.example.com/images', 'https address of a bucket'],
    ['DOWNLOADS_STORE_URL', 'https://s3.example.com/images?versionId=1', 'https address of a bucket'],
    ['DOWNLOADS_STORE_URL', 'https://s3.example.com/images', 'needs DOWNLOADS_STORE_ACCESS_KEY_ID'],
    ['DOWNLOADS_STORE_REGION', 'eu central', 'the name of a region'],
    ['SUPPORT_FILE_SCAN', 'clamdscan -', 'a program by its whole path'],
    ['SUPPORT_FILE_SCAN', 'https://user:secret@scan.example', 'without user and password'],
    ['SUPPORT_FILE_SCAN', '/nowhere/clamdscan -', 'install it or leave the setting out'],
  ])('%s=%s is refused by its name, with what to do', (name, value, remedy) => {
    expect(problemsOf({ [name]: value })).toContainEqual(expect.stringMatching(new RegExp(`^${name}: .*${remedy}`)));
  });

  test('an identity provider is set whole: many tenants name the partner’s, key sets are one or one for each issuer', () => {
    const provider = {
      ...production,
      AUTH_ISSUER: 'https://login.example/{tenantid}/v2.0,https://sts.example/{tenantid}/',
    };
    const PARTNER_TENANT_ID = '8D2F0A6E-1C44-4B58-9D3A-77D0F6C2AB10';
    expect(problemsOf(provider)).toEqual([expect.stringMatching(/^PARTNER_TENANT_ID: required where AUTH_ISSUER/)]);
    expect(problemsOf({ ...provider, PARTNER_TENANT_ID, AUTH_CLIENT_ID: 'pages' })).toEqual([
      expect.stringMatching(/^AUTH_AUTHORITY: required/),
    ]);
    const keySets = 'https://login.example/1, https://login.example/2';
    const { auth } = read({
      ...provider,
      PARTNER_TENANT_ID,
      AUTH_JWKS_URL: keySets,
      AUTH_AUDIENCE: 'api://csp-graph, csp-graph',
      AUTH_ROLES: 'https://app.example/roles=a=b:c:ADMIN_AGENT, wids=1:CUSTOMER_ADMIN',
      AUTH_CLIENT_ID: 'pages',
      AUTH_AUTHORITY: 'https://login.example/organizations/v2.0/',
    });
    expect(auth).toEqual({
      kind: 'jwks',
      issuers: [
        { issuer: 'https://login.example/{tenantid}/v2.0', jwksUrl: new URL('https://login.example/1') },
        { issuer: 'https://sts.example/{tenantid}/', jwksUrl: new URL('https://login.example/2') },
      ],
      audiences: ['api://csp-graph', 'csp-graph'],
      tenantClaim: 'tid',
      roles: [
        { claim: 'https://app.example/roles', value: 'a=b:c', role: 'ADMIN_AGENT' },
        { claim: 'wids', value: '1', role: 'CUSTOMER_ADMIN' },
      ],
      partnerTenantId: PARTNER_TENANT_ID.toLowerCase(),
      maxTokenLifeMs: 86_400_000,
      signIn: {
        clientId: 'pages',
        authority: 'https://login.example/organizations/v2.0',
        scopes: 'openid profile',
      },
    });
    expect(problemsOf({ ...production, AUTH_JWKS_URL: `${keySets},https://login.example/3` })).toEqual([
      expect.stringMatching(/^AUTH_JWKS_URL: give one for all/),
    ]);
    expect(problemsOf({ AUTH_ROLES: 'a=b:ADMIN_AGENT', AUTH_AUTHORITY: 'https://login.example' })).toEqual([
      expect.stringMatching(/^AUTH_ROLES: needs AUTH_JWKS_URL/),
      expect.stringMatching(/^AUTH_AUTHORITY: needs AUTH_CLIENT_ID/),
    ]);
    expect(read({ ...production, AUTH_JWKS_URL: 'http://127.0.0.1:4010/keys' }).auth).toMatchObject({ kind: 'jwks' });
  });

  test('what is wrong is told all at once, single settings and contradictions', () => {
    const problems = problemsOf({
      PORT: 'http',
      LOG_LEVEL: 'loud',
      SIGNING_SECRET: 'short',
      AUTH_ISSUER: 'https://login.example/',
      DOWNLOADS_DIR: '/nowhere',
    });
    expect(problems.map((problem) => problem.split(':')[0]).toSorted()).toEqual([
      'AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE',
      'DOWNLOADS_DIR',
      'LOG_LEVEL',
      'PORT',
      'SIGNING_SECRET',
    ]);
  });

  test('a secret that is wrong is not repeated', () => {
    const secrets = { SIGNING_SECRET: 'hunter2', PRODUCT_KEY_SECRETS: 'hunter3', DATABASE_URL: 'hunter4' };
    expect(problemsOf(secrets)).toHaveLength(3);
    expect(problemsOf(secrets).join()).not.toMatch(/hunter/);
  });

  test('production needs a server database, an identity provider and its own secrets', () => {
    expect(problemsOf({ NODE_ENV: 'production', DEMO_DATA: 'true' }).map((problem) => problem.split(':')[0])).toEqual([
      'ADMIN_PORT, ADMIN_TOKEN',
      'PUBLIC_URL',
      'AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE',
      'DATABASE_URL',
      'SIGNING_SECRET',
      'PRODUCT_KEY_SECRETS',
      'DEMO_DATA',
    ]);
    expect(read(production)).toMatchObject({
      production: true,
      auth: {
        kind: 'jwks',
        issuers: [{ issuer: 'https://login.example/', jwksUrl: new URL('https://login.example/keys') }],
        audiences: ['api://csp-graph'],
        roles: null,
        signIn: null,
      },
      demoData: false,
      productKeySecrets: [{ keyId: 'k2' }, { keyId: 'k1' }],
    });
    for (const name of Object.keys(production).filter((key) => key !== 'NODE_ENV'))
      expect([name, problemsOf({ ...production, [name]: '' })]).toEqual([name, [expect.stringContaining(name)]]);
  });

  test('operators have a port of their own or a token in production, and their settings do not contradict one another', () => {
    const { ADMIN_PORT: _, ...rest } = production;
    const ADMIN_TOKEN = 'x'.repeat(32);
    expect(read(production).admin).toEqual({ listen: { host: '127.0.0.1', port: 4001 }, token: null });
    expect(read({ ...rest, ADMIN_TOKEN }).admin).toEqual({ listen: null, token: ADMIN_TOKEN });
    expect(read({ ADMIN_PORT: '9000', ADMIN_HOST: '::1', HOST: '0.0.0.0' }).admin.listen).toEqual({
      host: '::1',
      port: 9000,
    });
    expect(problemsOf({ ADMIN_HOST: '127.0.0.1' })).toEqual([expect.stringMatching(/^ADMIN_HOST: needs ADMIN_PORT/)]);
    expect(problemsOf({ ADMIN_PORT: '4000' })).toEqual([expect.stringMatching(/^ADMIN_PORT: .*than PORT/)]);
    expect(problemsOf({ ADMIN_TOKEN: 'hunter2' })).toEqual([expect.stringMatching(/^ADMIN_TOKEN: .*at least 32/)]);
    expect(problemsOf({ ADMIN_TOKEN: 'hunter2' }).join()).not.toContain('hunter2');
  });

  test('trusted proxies and origins are lists', () => {
    expect(read().trustedProxies).toEqual([]);
    expect(read({ TRUSTED_PROXIES: 'loopback, 10.0.0.0/8,2001:db8::/32' }).trustedProxies).toEqual([
      'loopback',
      '10.0.0.0/8',
      '2001:db8::/32',
    ]);
    for (const TRUSTED_PROXIES of ['everybody', '10.0.0.0/99', '10.0.0.1,', '*', 'true'])
      expect([TRUSTED_PROXIES, problemsOf({ TRUSTED_PROXIES })]).toEqual([
        TRUSTED_PROXIES,
        [expect.stringMatching(/^TRUSTED_PROXIES: must be/)],
      ]);
    expect(read().corsOrigins).toEqual([]);
    expect(read({ CORS_ORIGINS: 'https://App.example.com,http://localhost:3000' }).corsOrigins).toEqual([
      'https://app.example.com',
      'http://localhost:3000',
    ]);
    for (const CORS_ORIGINS of ['*', 'app.example.com', 'https://app.example.com/', 'https://*.example.com', 'null'])
      expect([CORS_ORIGINS, problemsOf({ CORS_ORIGINS })]).toEqual([
        CORS_ORIGINS,
        [expect.stringMatching(/^CORS_ORIGINS: must be origins/)],
      ]);
  });

  test('the gateway does not start with wrong ones: they are told on standard error, and nothing else is', async () => {
    const { code, out, err } = await runScript(['dist/src/main.js'], { PORT: 'http', LOG_LEVEL: 'loud' });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/PORT: .*\n.*LOG_LEVEL: /);
    expect(err).not.toMatch(/at .*\.js/);
    expect(existsSync(join(folder, 'postgres'))).toBe(false);
  });
});

describe('secrets in files', () => {
  const path = () => join(folder, 'secret');
  const write = (content: string | Uint8Array) => {
    writeFileSync(path(), content);
    return path();
  };

  test('every setting that may hold a secret is read from one, without the line break at its end', () => {
    const { NODE_ENV, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE, ...rest } = production;
    // A certificate and a secret are not given both: test/partner-center/client.test.ts has one in a file.
    const names = secretSettings.filter((name) => name !== 'PARTNER_CENTER_CERTIFICATE');
    const values: Record<(typeof names)[number], string> = {
      ...rest,
      DATABASE_REPLICA_URL: 'postgres://user:pass@replica.example:5432/csp',
      NATS_URL: 'nats://user:pass@nats.example:4222',
      ADMIN_TOKEN: 'a token of the operators, made once'.replaceAll(' ', '-'),
      REDIS_URL: 'redis://user:pass@redis.example:6379',
      DOWNLOADS_STORE_SECRET_ACCESS_KEY: 'the key of a reader',
      PARTNER_CENTER_CLIENT_SECRET: 'the secret of the application',
    };
    const files = Object.fromEntries(
      names.map((name, index) => {
        const file = join(folder, name);
        writeFileSync(file, `${values[name]}${['\n', '\r\n', ''][index % 3]}`);
        return [`${name}_FILE`, file];
      }),
    );
    const { PUBLIC_URL, ADMIN_PORT } = production;
    const id = '0f5b1a7c-1111-4222-8333-944455556666';
    const application = { PARTNER_CENTER_TENANT_ID: id, PARTNER_CENTER_CLIENT_ID: id };
    const provider = { NODE_ENV, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE, PUBLIC_URL, ADMIN_PORT, ...application };
    expect(read({ ...provider, ...files })).toEqual(read({ ...provider, ...values }));
  });

  test('one of both is given, not both', () => {
    const SIGNING_SECRET_FILE = write(production.SIGNING_SECRET);
    expect(problemsOf({ SIGNING_SECRET: production.SIGNING_SECRET, SIGNING_SECRET_FILE })).toEqual([
      'SIGNING_SECRET, SIGNING_SECRET_FILE: set one of the two',
    ]);
    expect(problemsOf({ SIGNING_SECRET: '', SIGNING_SECRET_FILE })).toEqual([]);
  });

  test.each<[string, () => string, RegExp]>([
    ['is missing', () => path(), /^SIGNING_SECRET_FILE: \S+secret does not exist$/],
    ['is a folder', () => folder, /^SIGNING_SECRET_FILE: \S+ is a folder; name the file in it$/],
    ['is a device', () => '/dev/zero', /^SIGNING_SECRET_FILE: \/dev\/zero is not a regular file$/],
    ['is empty', () => write('\n'), /^SIGNING_SECRET_FILE: \S+secret is empty$/],
    ['is no text', () => write(Uint8Array.of(0x68, 0xff)), /^SIGNING_SECRET_FILE: \S+secret is not text in UTF-8/],
    [
      'is too large',
      () => write('hunter2'.repeat(10_000)),
      /^SIGNING_SECRET_FILE: \S+secret is larger than 65536 bytes/,
    ],
    [
      'holds the wrong thing',
      () => write('hunter2'),
      /^SIGNING_SECRET_FILE: what is in \S+secret must have at least 32/,
    ],
  ])('one that %s is told by setting and path, and its content is not', (_, file, told) => {
    // In production too, where nothing is made in its place: it is not said to be left out besides.
    const problems = problemsOf({ ...production, SIGNING_SECRET: '', SIGNING_SECRET_FILE: file() });
    expect(problems).toEqual([expect.stringMatching(told)]);
    expect(problems.join()).not.toMatch(/hunter/);
  });
});

describe('secrets outside production', () => {
  const file = () => join(folder, 'secrets.json');

  test('are made once, for this user alone, and found again', () => {
    const first = read();
    expect((statSync(file()).mode & 0o777).toString(8)).toBe('600');
    expect(first.signingSecret.length).toBeGreaterThanOrEqual(32);
    expect(first.productKeySecrets.map(({ secret }) => secret.length)).toEqual([32]);
    expect(read()).toEqual(first);
  });

  test('are not made where all are set', () => {
    read({ SIGNING_SECRET: production.SIGNING_SECRET, PRODUCT_KEY_SECRETS: production.PRODUCT_KEY_SECRETS });
    expect(existsSync(file())).toBe(false);
  });

  test('are the same for processes that start at once', async () => {
    const script = `import { readConfig } from ${module('config/config.js')};
      process.stdout.write(Buffer.from(readConfig().signingSecret).toString('base64'));`;
    const runs = await Promise.all(Array.from({ length: 8 }, () => runScript(['--input-type=module', '-e', script])));
    expect(runs.map(({ code, err }) => [code, err])).toEqual(Array(8).fill([0, '']));
    expect(new Set(runs.map(({ out }) => out)).size).toBe(1);
  });

  const { SIGNING_SECRET: signingSecret } = production;
  test.each([
    ['', 'it is not JSON'],
    ['{"signingSecret": hunter2}', 'it is not JSON'],
    ['["hunter2"]', 'must be a JSON object'],
    ['{}', 'signingSecret must be a text; productKeySecrets must be a text'],
    [
      JSON.stringify({ signingSecret: 'hunter2', productKeySecrets: `k1:${KEY}` }),
      'signingSecret must have at least 32',
    ],
    [JSON.stringify({ signingSecret, productKeySecrets: 'hunter2' }), 'productKeySecrets must be ID:BASE64 pairs'],
    [JSON.stringify({ signingSecret, productKeySecrets: 'k1:aHVudGVyMg==' }), 'productKeySecrets must be ID:BASE64'],
  ])('that cannot be read (%s) are told without a word of them, and not replaced', (content, reason) => {
    writeFileSync(file(), content);
    const problems = problemsOf({});
    expect(problems).toEqual([expect.stringContaining(`DATA_DIR: ${file()} cannot be read: ${reason}`)]);
    expect(problems.join()).not.toMatch(/hunter|aHVudGVy/);
    expect(readFileSync(file(), 'utf8')).toBe(content);
  });

  test('that cannot be made are told by the folder that they would be in', () => {
    writeFileSync(join(folder, 'occupied'), '');
    expect(problemsOf({ DATA_DIR: join(folder, 'occupied') })).toEqual([
      expect.stringMatching(/^DATA_DIR: \S+secrets\.json cannot be made \(EEXIST\); name a folder/),
    ]);
  });
});

describe('the embedded database', () => {
  const dataDir = () => join(folder, 'postgres');
  /** A process that has the lock, until it is killed. */
  const holder = async () => {
    const script = `import { lockEmbeddedDatabase } from ${module('database/embedded-lock.js')};
      lockEmbeddedDatabase(${JSON.stringify(dataDir())}); console.log('locked'); setInterval(() => {}, 1_000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const kill = (signal: NodeJS.Signals) =>
      new Promise((resolve) => {
        child.once('exit', resolve);
        child.kill(signal);
      });
    return { pid: child.pid, kill };
  };

  test('belongs to one process: a second one is told which has it, and what to do', async () => {
    const { pid, kill } = await holder();
    expect(() => lockEmbeddedDatabase(dataDir())).toThrow(EmbeddedDatabaseInUse);
    expect(() => lockEmbeddedDatabase(dataDir())).toThrow(`in use by process ${pid}. Stop that one first`);
    await kill('SIGKILL');
  });

  test('is free again after its process was killed', async () => {
    const { kill } = await holder();
    await kill('SIGKILL');
    expect(existsSync(`${dataDir()}.lock`)).toBe(true);
    const unlock = lockEmbeddedDatabase(dataDir());
    expect(readFileSync(`${dataDir()}.lock`, 'utf8')).toBe(String(process.pid));
    unlock();
    expect(existsSync(`${dataDir()}.lock`)).toBe(false);
  });

  test.each(['', 'nonsense', '0', '-1', '999999999'])('a lock of nobody (%s) holds nobody up', (content) => {
    writeFileSync(`${dataDir()}.lock`, content);
    lockEmbeddedDatabase(dataDir())();
  });

  test('of processes that start at once one gets it', async () => {
    const script = `import { lockEmbeddedDatabase } from ${module('database/embedded-lock.js')};
      lockEmbeddedDatabase(${JSON.stringify(dataDir())}); process.stdin.resume();`;
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'ignore', 'ignore'] }),
    );
    const ends = children.map((child) => new Promise<number | null>((resolve) => child.once('exit', resolve)));
    // All but the one that has it end by themselves; it ends when it is told to.
    let left = children.length;
    await new Promise<void>((resolve) => {
      for (const end of ends)
        void end.then(() => {
          left -= 1;
          if (left === 1) resolve();
        });
    });
    for (const child of children) child.stdin?.end();
    expect((await Promise.all(ends)).toSorted()).toEqual([0, 1, 1, 1, 1, 1]);
  });

  test('is free again where npm was ended, which tells its shell and not the gateway', async () => {
    unpackDatabase(dataDir());
    const shell = spawn('sh', ['-c', `"${process.execPath}" dist/src/main.js; true`], {
      env: { PATH: process.env['PATH'], npm_lifecycle_event: 'start', DATA_DIR: folder, PORT: '0', DEMO_DATA: 'false' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise<void>((resolve) => {
      shell.stdout.on('data', (text) => String(text).startsWith('ready') && resolve());
    });
    // The pipe is the gateway's too, and closes once it has ended.
    const closed = new Promise((resolve) => shell.stdout.once('close', resolve));
    shell.kill('SIGTERM');
    await closed;
    lockEmbeddedDatabase(dataDir())();
  });

  test('a SIGTERM for gateway and shell together, as service managers send it, leaves the time to drain', async () => {
    unpackDatabase(dataDir());
    const shell = spawn('sh', ['-c', `"${process.execPath}" dist/src/main.js; true`], {
      env: {
        PATH: process.env['PATH'],
        npm_lifecycle_event: 'start',
        DATA_DIR: folder,
        PORT: '0',
        DEMO_DATA: 'false',
        DRAIN_TIMEOUT_MS: '2000',
      },
      stdio: ['ignore', 'pipe', 'ignore'],
      // A group of its own, so that all of it can be signalled.
      detached: true,
    });
    const url = await new Promise<string>((resolve) => {
      shell.stdout.on('data', (text) => {
        const [, address] = /^ready http(\S+)/.exec(String(text)) ?? [];
        if (address) resolve(`ws${address}`);
      });
    });
    // One that neither reads nor answers keeps the stop waiting, for longer than the shell's end takes to be noticed.
    const idle = new WebSocket(url, 'graphql-transport-ws');
    await new Promise((resolve) => idle.once('open', resolve));
    idle.pause();
    const closed = new Promise((resolve) => shell.stdout.once('close', resolve));
    const told = Date.now();
    process.kill(-(shell.pid as number), 'SIGTERM');
    await closed;
    idle.terminate();
    // The whole of it, however slow the machine: the end of the shell must not count as a second signal.
    expect(Date.now() - told).toBeGreaterThanOrEqual(2_000);
  });

  test('an open one refuses the migrations of another process in a sentence, and is free once it is closed', async () => {
    const orm = await openOrm({ kind: 'embedded', dataDir: dataDir() }, { entities });
    await orm.em.fork().execute('select 1');
    const refused = await runScript(['dist/src/cli/migrate.js']);
    expect(refused).toEqual({
      code: 1,
      out: '',
      err: `The embedded database ${dataDir()} is in use by process ${process.pid}. Stop that one first, set another DATA_DIR, or set DATABASE_URL to use a PostgreSQL server.\n`,
    });
    await orm.close(true);
    expect(await runScript(['dist/src/cli/migrate.js'])).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(/^ran Migration/),
    });
    expect(await runScript(['dist/src/cli/migrate.js'])).toMatchObject({
      code: 0,
      out: 'nothing to do\n',
    });
  });
});
