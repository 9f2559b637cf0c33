import type { IncomingMessage } from 'node:http';
import { refuse } from '../../auth/claims.js';

/** Names under which clients send tokens elsewhere, in small letters, without hyphens and underscores. */
const TOKEN_NAMES = new Set([
  'accesstoken',
  'apikey',
  'auth',
  'authentication',
  'authorization',
  'authtoken',
  'bearer',
  'bearertoken',
  'credentials',
  'idtoken',
  'jwt',
  'jwttoken',
  'password',
  'proxyauthorization',
  'token',
  'usertoken',
  'xaccesstoken',
  'xapikey',
  'xauthorization',
  'xauthtoken',
]);
/** A JWT begins with `{"` in base64url. */
const TOKEN = /^(?:bearer\s|eyJ[\w-]*\.)/i;
const PLACES =
  'A token is taken from "authorization" or "headers.authorization" in connection_init\'s payload, nowhere else.';

/**
 * The `Authorization` value of a socket: `authorization` of the payload of `connection_init` or of the `headers` in it, in
 * any case, or the header of the handshake. Undefined: nobody.
 * @throws UNAUTHENTICATED for what looks like a token in another place, or where two contradict each other: whoever sends
 *   one is not taken for nobody without a word
 */
export function authorizationOf(
  payload: Readonly<Record<string, unknown>> | undefined,
  { headers, url = '/' }: Pick<IncomingMessage, 'headers' | 'url'>,
): string | undefined {
  const given = [...authorizationsIn(payload), ...authorizationsIn(onlyOf(payload, 'headers'))];
  if (given.some((value) => typeof value !== 'string')) throw refuse('"authorization" must be a text: "Bearer TOKEN".');
  const values = new Set(given.filter((value) => value !== ''));
  if (values.size > 1) throw refuse('connection_init says "authorization" twice, and not the same.');
  const [value] = values;
  if (value !== undefined) return value as string;
  const query = Object.fromEntries(new URL(url, 'http://gateway').searchParams);
  if (holdsToken(payload) || holdsToken(query)) throw refuse(PLACES);
  return headers.authorization;
}

/** What an object says under the name, whatever its case; null and undefined say nothing. */
function authorizationsIn(object: unknown): unknown[] {
  return Object.entries(Object(object)).flatMap(([name, value]) =>
    name.toLowerCase() === 'authorization' && value != null ? [value] : [],
  );
}

function onlyOf(object: Readonly<Record<string, unknown>> | undefined, wanted: string): unknown {
  return Object.entries(object ?? {}).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** Whether there is a token somewhere in a value, by its name or by its form. Its depth is the client's: no recursion. */
function holdsToken(value: unknown): boolean {
  const rest: [name: string, value: unknown][] = [['', value]];
  for (let next = rest.pop(); next; next = rest.pop()) {
    const [name, found] = next;
    if (typeof found === 'string' && found !== '') {
      if (TOKEN.test(found) || TOKEN_NAMES.has(name.toLowerCase().replace(/[-_]/g, ''))) return true;
    } else if (typeof found === 'object' && found !== null) {
      // Items of a list go by the name of the list.
      for (const [key, item] of Object.entries(found)) rest.push([Array.isArray(found) ? name : key, item]);
    }
  }
  return false;
}
