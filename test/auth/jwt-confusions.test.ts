import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { jwksAuth } from '../support/jwks-auth.js';

const later = () => Math.floor(Date.now() / 1_000) + 3_600;
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64url');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const attacker = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A token of any header and claims, as JSON text where they are to be strange; signed as the test says. */
function craft(header: object | string, claims: object | string, signWith: (input: string) => Buffer): string {
  const text = (part: object | string) => (typeof part === 'string' ? part : JSON.stringify(part));
  const input = `${base64(text(header))}.${base64(text(claims))}`;
  return `${input}.${base64(signWith(input))}`;
}
const by = (key: KeyObject) => (input: string) => sign('sha256', Buffer.from(input), key);
const hmac = (secret: string | Buffer) => (input: string) => createHmac('sha256', secret).update(input).digest();

describe(`tokens made to be mistaken, on ${engine}`, () => {
  const issuer = 'https://login.example/';
  const partnerTenantId = randomUUID();
  /** Serves the key set, and under other addresses what an attacker would have the gateway fetch. */
  let provider: Server;
  let base: string;
  const asked: string[] = [];
  let gateway: TestGateway;
  const claims = {
    iss: issuer,
    aud: 'api://csp-graph',
    sub: 'anna',
    scp: 'access',
    roles: ['ADMIN_AGENT'],
    tid: partnerTenantId,
    exp: later(),
  };
  const header = { alg: 'RS256', kid: 'one', typ: 'JWT' };
  beforeAll(async () => {
    const jwkOf = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' });
    provider = createServer((request, response) => {
      asked.push(request.url ?? '');
      const keys =
        request.url === '/keys'
          ? [jwkOf(rsa.publicKey, 'one'), jwkOf(ec.publicKey, 'curve')]
          : [jwkOf(attacker.publicKey, 'one')];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => {
      provider.listen(0, '127.0.0.1', resolve);
    });
    base = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    gateway = await startTestGateway({
      config: {
        auth: jwksAuth([{ issuer, jwksUrl: new URL(`${base}/keys`) }], { partnerTenantId }),
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    provider.closeAllConnections();
    provider.close();
  });

  const statusOf = async (token: string) => {
    const { status, data } = await gateway.run('{ viewer { userPrincipalName roles } }', {}, { token });
    return status === 200 ? data.viewer : status;
  };
  const good = () => craft(header, claims, by(rsa.privateKey));

  test('one that is what it says counts', async () => {
    expect(await statusOf(good())).toEqual({ userPrincipalName: 'anna', roles: ['ADMIN_AGENT'] });
  });

  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
  test.each<[string, () => string]>([
    ...['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg): [string, () => string][] => [
      [`alg ${alg} without a signature`, () => craft({ ...header, alg }, claims, () => Buffer.alloc(0))],
      [`alg ${alg} with one`, () => craft({ ...header, alg }, claims, by(rsa.privateKey))],
    ]),
    ['no alg', () => craft({ kid: 'one' }, claims, by(rsa.privateKey))],
    ['alg in small letters', () => craft({ ...header, alg: 'rs256' }, claims, by(rsa.privateKey))],
    ['alg that is a list', () => craft({ ...header, alg: ['RS256'] }, claims, by(rsa.privateKey))],
    [
      'alg twice, the last one none',
      () => craft('{"alg":"RS256","kid":"one","alg":"none"}', claims, by(rsa.privateKey)),
    ],
    ['HS256 with the public key as PEM', () => craft({ ...header, alg: 'HS256' }, claims, hmac(pem))],
    ['the same without its line break', () => craft({ ...header, alg: 'HS256' }, claims, hmac(String(pem).trim()))],
    [
      'HS256 with the public key as DER',
      () => craft({ ...header, alg: 'HS256' }, claims, hmac(rsa.publicKey.export({ type: 'spki', format: 'der' }))),
    ],
    [
      'HS256 with the public key as JWK',
      () => craft({ ...header, alg: 'HS256' }, claims, hmac(JSON.stringify(rsa.publicKey.export({ format: 'jwk' })))),
    ],
    ['HS256 with nothing', () => craft({ ...header, alg: 'HS256', kid: undefined }, claims, hmac(''))],
    [
      'an RSA signature for the key of a curve',
      () => craft({ ...header, alg: 'ES256', kid: 'curve' }, claims, by(rsa.privateKey)),
    ],
    ['a curve’s algorithm for an RSA key', () => craft({ ...header, alg: 'ES256' }, claims, by(ec.privateKey))],
    ['a curve’s signature in DER', () => craft({ ...header, alg: 'ES256', kid: 'curve' }, claims, by(ec.privateKey))],
    [
      'a curve’s signature of zeros',
      () => craft({ ...header, alg: 'ES256', kid: 'curve' }, claims, () => Buffer.alloc(64)),
    ],
    ['a signature of zeros', () => craft(header, claims, () => Buffer.alloc(256))],
    [
      'another’s signature',
      () => `${craft(header, { ...claims, roles: ['GLOBAL_ADMIN'] }, () => Buffer.alloc(0))}${good().split('.')[2]}`,
    ],
    ...['jku', 'x5u'].map((name): [string, () => string] => [
      `a key set of the token’s own (${name})`,
      () => craft({ ...header, [name]: `${base}/attacker` }, claims, by(attacker.privateKey)),
    ]),
    [
      'a key of the token’s own (jwk)',
      () => craft({ ...header, jwk: attacker.publicKey.export({ format: 'jwk' }) }, claims, by(attacker.privateKey)),
    ],
    [
      'the same without a kid',
      () => craft({ alg: 'RS256', jwk: attacker.publicKey.export({ format: 'jwk' }) }, claims, by(attacker.privateKey)),
    ],
    [
      'a certificate of the token’s own (x5c)',
      () => craft({ ...header, x5c: [base64('certificate')] }, claims, by(attacker.privateKey)),
    ],
    ...['../../../../dev/null', "' or 1=1 --", '/etc/passwd', '', '__proto__', 'one\0', 'x'.repeat(4_000)].map(
      (kid): [string, () => string] => [`kid ${kid.slice(0, 30)}`, () => craft({ ...header, kid }, claims, hmac(''))],
    ),
    ...[7, null, ['one'], { one: 1 }, true].map((kid): [string, () => string] => [
      `kid ${JSON.stringify(kid)}`,
      () => craft({ ...header, kid }, claims, by(attacker.privateKey)),
    ]),
    ['crit that nobody knows', () => craft({ ...header, crit: ['exp'], exp: 1 }, claims, by(rsa.privateKey))],
    ['crit that is empty', () => craft({ ...header, crit: [] }, claims, by(rsa.privateKey))],
    ['crit of what is not there', () => craft({ ...header, crit: ['x'] }, claims, by(rsa.privateKey))],
    [
      'claims that are not encoded (b64)',
      () => craft({ ...header, b64: false, crit: ['b64'] }, claims, by(rsa.privateKey)),
    ],
    ['a token in a token', () => craft({ ...header, cty: 'JWT' }, good(), by(rsa.privateKey))],
    ['claims that are a list', () => craft(header, [claims], by(rsa.privateKey))],
    ['claims that are null', () => craft(header, 'null', by(rsa.privateKey))],
    ['claims that are no JSON', () => craft(header, '{"sub":', by(rsa.privateKey))],
    [
      'claims that are not UTF-8',
      () => `${base64(JSON.stringify(header))}.${base64(Buffer.from([0x7b, 0xff, 0x7d]))}.${base64('x')}`,
    ],
    ['an encrypted one', () => 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0.e30.e30.e30.e30'],
    ...['1', String(later()), null, [later()], -1, 0, 1e308, later() * 1_000].map((exp): [string, () => string] => [
      `exp ${JSON.stringify(exp)}`,
      () => craft(header, { ...claims, exp }, by(rsa.privateKey)),
    ]),
    [
      'exp beyond what JSON has',
      () => craft(header, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999'), by(rsa.privateKey)),
    ],
    ...['1', [], {}, later()].map((nbf): [string, () => string] => [
      `nbf ${JSON.stringify(nbf)}`,
      () => craft(header, { ...claims, nbf }, by(rsa.privateKey)),
    ]),
    ...[['api://other'], [], {}, 'API://csp-graph', 'api://csp-graph/', null].map((aud): [string, () => string] => [
      `aud ${JSON.stringify(aud)}`,
      () => craft(header, { ...claims, aud }, by(rsa.privateKey)),
    ]),
    ...[[issuer], 'https://LOGIN.example/', `${issuer}\0`, 'https://login.example', null].map(
      (iss): [string, () => string] => [
        `iss ${JSON.stringify(iss)}`,
        () => craft(header, { ...claims, iss }, by(rsa.privateKey)),
      ],
    ),
    ...['id_token', 'dpop+jwt', 'secevent+jwt', 'logout+jwt', 7].map((typ): [string, () => string] => [
      `typ ${typ}`,
      () => craft({ ...header, typ }, claims, by(rsa.privateKey)),
    ]),
  ])('%s: 401', async (_what, token) => {
    expect(await statusOf(token())).toBe(401);
  });

  test('an issuer that stands twice is the one that was checked, and so is everything else', async () => {
    const twice = (first: string, last: string) => {
      const others = `"iss":"${first}","sub":"eve","roles":["GLOBAL_ADMIN"],"iss":`;
      return craft(header, JSON.stringify({ ...claims, iss: last }).replace('"iss":', others), by(rsa.privateKey));
    };
    expect(await statusOf(twice('https://evil.example/', issuer))).toEqual({
      userPrincipalName: 'anna',
      roles: ['ADMIN_AGENT'],
    });
    expect(await statusOf(twice(issuer, 'https://evil.example/'))).toBe(401);
  });

  test('a good one is none the worse for keys that it names, and the gateway fetches none of them', async () => {
    const named = { ...header, jku: `${base}/attacker`, x5u: `${base}/attacker`, jwk: { kty: 'oct', k: 'AA' } };
    expect(await statusOf(craft(named, claims, by(rsa.privateKey)))).toMatchObject({ roles: ['ADMIN_AGENT'] });
    expect(asked.filter((url) => url !== '/keys')).toEqual([]);
  });
});
