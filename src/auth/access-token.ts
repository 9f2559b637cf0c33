import type { JWTHeaderParameters, JWTPayload } from 'jose';

/** Header `typ`: RFC 9068 says `at+jwt`; most providers say `JWT`, of ID tokens too, or nothing. */
const OF_ACCESS_TOKENS = /^(application\/)?at\+jwt$/i;
const OF_ANY_TOKEN = /^(application\/)?jwt$/i;
/** Claims that only ID tokens have: OpenID Connect Core, 2 and 3.3. */
const OF_ID_TOKENS = ['nonce', 'at_hash', 'c_hash', 's_hash'];
/** Claims that only access tokens have: scopes as RFC 9068 and as Entra ID and Okta say them, and what Entra ID adds. */
const OF_ACCESS = ['scope', 'scp', 'idtyp', 'azpacr', 'appidacr'];

/**
 * Why a token is no access token; null: it is one. An ID token tells a client who has signed in: it has the same
 * issuer and key, and where a front end and the gateway are registered as one application the same audience too. So a
 * token has to show that it is for an API.
 */
export function whyNotAccessToken(header: JWTHeaderParameters, claims: JWTPayload): string | null {
  const form = header.typ;
  if (form !== undefined && OF_ACCESS_TOKENS.test(form)) return null;
  if (form !== undefined && !OF_ANY_TOKEN.test(form)) return 'it is of another kind (header "typ")';
  // Keycloak says it of all its tokens (`Bearer`, `ID`, `Refresh`, …), and up to version 24 puts `nonce` in all.
  if (claims['typ'] !== undefined) return claims['typ'] === 'Bearer' ? null : 'it is of another kind (claim "typ")';
  // Cognito.
  if (claims['token_use'] !== undefined)
    return claims['token_use'] === 'access' ? null : 'it is of another kind (claim "token_use")';
  if (OF_ID_TOKENS.some((name) => claims[name] !== undefined)) return 'it is an ID token';
  if (OF_ACCESS.some((name) => Boolean(claims[name]))) return null;
  return 'nothing in it says so: it has neither "typ": "at+jwt" nor scopes ("scp", "scope")';
}
