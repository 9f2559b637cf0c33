import { type Answer, type Bearer, type Call, GRAPH, PARTNER_CENTER, Refusal, type Route } from './call.js';
import type { World } from './world.js';

const HOUR_MS = 3_600_000;
const REFRESH_TOKEN_LIFE_MS = 90 * 24 * HOUR_MS;
/** The application that tokens are issued to. */
export const CLIENT_ID = '0f5b1a7c-1111-4222-8333-944455556666';
export const CLIENT_SECRET = 'the secret of the simulated application';

/** A refusal of the token endpoint, whose shape is OAuth's. */
const denied = (error: string, code: string, text: string): Answer => ({
  status: error === 'temporarily_unavailable' ? 503 : 400,
  body: { error, error_description: `${code}: ${text}`, error_codes: [Number(code.replace('AADSTS', ''))] },
});

export const tokenRoutes: Route[] = [
  { method: 'POST', pattern: '/:tenant/oauth2/token', wants: 'nobody', handle: (call) => issue(call, 1) },
  { method: 'POST', pattern: '/:tenant/oauth2/v2.0/token', wants: 'nobody', handle: (call) => issue(call, 2) },
  { method: 'POST', pattern: '/:tenant/oauth2/v2.0/devicecode', wants: 'nobody', handle: beginDeviceCode },
];

/** Which audience is asked for: by `resource` in version 1, by the scope's beginning in version 2. */
function audienceOf(form: Record<string, unknown>): string {
  const asked = String(form['resource'] ?? form['scope'] ?? '');
  if (asked.includes(GRAPH)) return GRAPH;
  return asked.includes('api.partnercenter.microsoft.com') ? PARTNER_CENTER : asked;
}

function issue({ world, body: form }: Call, version: 1 | 2): Answer {
  if (world.faults.strikes('tokenEndpointDown'))
    return denied('temporarily_unavailable', 'AADSTS90033', 'A transient error has occurred.');
  const isKnown =
    form['client_secret'] === CLIENT_SECRET || String(form['client_assertion'] ?? '').split('.').length === 3;
  if (form['client_id'] !== CLIENT_ID || (!isKnown && !String(form['grant_type']).endsWith('device_code')))
    return denied('invalid_client', 'AADSTS7000215', 'Invalid client secret provided.');
  switch (form['grant_type']) {
    case 'client_credentials':
      return tokens(world, version, { audience: audienceOf(form), isUser: false, hasMfa: true }, null);
    case 'refresh_token': {
      const token = String(form['refresh_token']);
      const until = world.state.refreshTokens[token];
      if (until === undefined || until <= world.now() || world.faults.strikes('refreshTokenExpired'))
        return denied('invalid_grant', 'AADSTS700082', 'The refresh token has expired due to inactivity.');
      // Each use gives a new one; the old one is worth nothing from then on.
      delete world.state.refreshTokens[token];
      return tokens(world, version, user(world, audienceOf(form)), newRefreshToken(world));
    }
    case 'urn:ietf:params:oauth:grant-type:device_code': {
      const code = String(form['device_code']);
      const hasConsented = world.state.deviceCodes[code];
      if (hasConsented === undefined) return denied('expired_token', 'AADSTS70020', 'The device code has expired.');
      if (!hasConsented) return denied('authorization_pending', 'AADSTS70016', 'Authorization is pending.');
      delete world.state.deviceCodes[code];
      return tokens(world, version, user(world, PARTNER_CENTER), newRefreshToken(world));
    }
    default:
      return denied('unsupported_grant_type', 'AADSTS70003', 'The grant type is not supported.');
  }
}

const user = (world: World, audience: string): Bearer => ({
  audience,
  isUser: true,
  hasMfa: !world.faults.strikes('tokenWithoutMfa'),
});

/** Somebody consents: what a person would have got by signing in. */
export function newRefreshToken(world: World): string {
  const token = `0.${world.hex(60)}`;
  world.state.refreshTokens[token] = world.now() + REFRESH_TOKEN_LIFE_MS;
  return token;
}

function tokens(world: World, version: 1 | 2, bearer: Bearer, refreshToken: string | null): Answer {
  const token = `eyJ.${world.hex(48)}.${world.hex(16)}`;
  world.state.accessTokens[token] = { ...bearer, expiresMs: world.now() + HOUR_MS };
  // Version 1 writes numbers as text.
  const seconds = version === 1 ? '3599' : 3_599;
  return {
    status: 200,
    headers: { 'cache-control': 'no-store' },
    body: {
      token_type: 'Bearer',
      ...(bearer.isUser ? { scope: 'user_impersonation' } : {}),
      expires_in: seconds,
      ext_expires_in: seconds,
      ...(version === 1 ? { resource: bearer.audience, expires_on: `${Math.floor(world.now() / 1_000) + 3_599}` } : {}),
      access_token: token,
      ...(refreshToken ? { refresh_token: refreshToken } : {}),
    },
  };
}

function beginDeviceCode({ world, base }: Call): Answer {
  const code = world.hex(40);
  world.state.deviceCodes[code] = false;
  return {
    status: 200,
    body: {
      device_code: code,
      user_code: world.hex(8).toUpperCase(),
      verification_uri: `${base}/simulator/device`,
      expires_in: 900,
      interval: 1,
      message: `To sign in, open ${base}/simulator/device`,
    },
  };
}

/** Checks whom a call is from. */
export function admitted({ world, path, header }: Call, { wants, audience = PARTNER_CENTER }: Route): void {
  if (wants === 'nobody') return;
  const token = header('authorization')?.replace(/^Bearer /i, '') ?? '';
  const bearer = world.state.accessTokens[token];
  if (!bearer || bearer.expiresMs <= world.now() || world.faults.strikes('accessTokenRefused', path))
    throw new Refusal(401, '800001', 'The access token is missing, or has expired.');
  if (bearer.audience !== audience)
    throw new Refusal(401, '900420', 'The token is for another audience than this service.');
  if (wants === 'user' && !bearer.isUser)
    throw new Refusal(403, '900329', 'App only authentication is not supported for this resource.');
  if (bearer.isUser && !bearer.hasMfa)
    throw new Refusal(401, '10001', 'The request is from a user who has not completed multi-factor authentication.');
}
