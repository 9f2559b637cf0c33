import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import {
  allowInsecureRequests,
  Configuration,
  clientCredentialsGrant,
  type DeviceAuthorizationResponse,
  initiateDeviceAuthorization,
  modifyAssertion,
  PrivateKeyJwt,
  pollDeviceAuthorizationGrant,
  ResponseBodyError,
  refreshTokenGrant,
  type TokenEndpointResponse,
} from 'openid-client';
import type { Credential, PartnerCenterConfig } from '../../config/partner-center-config.js';
import { OneAtATime } from '../../lib/one-at-a-time.js';
import { type SignIn, SignInNeeded } from './sign-in.js';

/** Whom a token stands for: the application alone, or it and the user who has signed in. */
export type Bearer = 'app' | 'user';

/** A token is not used any more so long before it expires. */
const EARLY_MS = 300_000;
const DEFAULT_LIFE_SECONDS = 3_600;
/** How long the token endpoint is waited for. */
const PATIENCE_SECONDS = 30;

/** What Entra ID says in the words of its codes, by what to do. */
const advice: Record<string, string> = {
  AADSTS50076: 'sign in with a second factor: npm run partner-center:sign-in',
  AADSTS50078: 'the second factor has expired; sign in again: npm run partner-center:sign-in',
  AADSTS65001: 'an administrator has to consent to the application: npm run partner-center:sign-in',
  AADSTS700082: 'the sign-in has expired; sign in again: npm run partner-center:sign-in',
  AADSTS7000215: 'PARTNER_CENTER_CLIENT_SECRET is wrong, or has expired',
  AADSTS700016: 'PARTNER_CENTER_CLIENT_ID is no application of PARTNER_CENTER_TENANT_ID',
  AADSTS90002: 'there is no tenant PARTNER_CENTER_TENANT_ID',
};

/** Gets tokens for Partner Center, and keeps them until they are about to expire. */
export class Tokens {
  private readonly configuration: Promise<Configuration>;
  private readonly kept = new Map<Bearer, { token: string; goodUntil: number }>();
  private readonly rows = new OneAtATime(0);

  constructor(
    private readonly config: PartnerCenterConfig,
    private readonly signIn: SignIn,
  ) {
    this.configuration = configure(config);
    // Told to whoever asks for a token.
    this.configuration.catch(() => undefined);
  }

  /** A token. @throws {SignInNeeded} where a user's is wanted, and somebody must sign in */
  get(bearer: Bearer): Promise<string> {
    return this.rows.run(bearer, async () => {
      const kept = this.kept.get(bearer);
      if (kept && performance.now() < kept.goodUntil) return kept.token;
      return this.keep(bearer, await (bearer === 'app' ? this.askForApp() : this.askForUser()));
    });
  }

  /** Forgets a token that was refused. One that was got meanwhile stays. */
  forget(bearer: Bearer, token: string): void {
    if (this.kept.get(bearer)?.token === token) this.kept.delete(bearer);
  }

  /** Begins to sign somebody in: they enter a code at an address. */
  async beginSignIn(): Promise<DeviceAuthorizationResponse> {
    return initiateDeviceAuthorization(await this.configuration, { scope: this.userScope });
  }

  /** Waits until they have, and keeps what they get. @throws where they refuse, or take too long */
  async endSignIn(begun: DeviceAuthorizationResponse): Promise<void> {
    const answer = await inWords(pollDeviceAuthorizationGrant(await this.configuration, begun));
    if (!answer.refresh_token) throw new SignInNeeded('Entra ID gave no refresh token: allow offline_access');
    await this.signIn.store(answer.refresh_token);
    this.keep('user', answer);
  }

  private get userScope(): string {
    return `${this.config.audience}/user_impersonation offline_access`;
  }

  private async askForApp(): Promise<TokenEndpointResponse> {
    const scope = `${this.config.audience}/.default`;
    return inWords(clientCredentialsGrant(await this.configuration, { scope }));
  }

  private async askForUser(): Promise<TokenEndpointResponse> {
    const configuration = await this.configuration;
    return this.signIn.use(async (refreshToken) => {
      const result = await inWords(refreshTokenGrant(configuration, refreshToken, { scope: this.userScope }));
      return { refreshToken: result.refresh_token ?? refreshToken, result };
    });
  }

  private keep(bearer: Bearer, { access_token: token, expires_in }: TokenEndpointResponse): string {
    const lifeMs = (expires_in ?? DEFAULT_LIFE_SECONDS) * 1_000;
    this.kept.set(bearer, { token, goodUntil: performance.now() + Math.max(lifeMs - EARLY_MS, lifeMs / 2) });
    return token;
  }
}

async function configure({
  authorityUrl,
  tenantId,
  clientId,
  credential,
}: PartnerCenterConfig): Promise<Configuration> {
  const authority = `${authorityUrl}/${tenantId}`;
  const server = {
    issuer: `${authority}/v2.0`,
    token_endpoint: `${authority}/oauth2/v2.0/token`,
    device_authorization_endpoint: `${authority}/oauth2/v2.0/devicecode`,
  };
  const configuration =
    credential.kind === 'secret'
      ? new Configuration(server, clientId, credential.secret)
      : new Configuration(server, clientId, undefined, await assertionOf(credential));
  configuration.timeout = PATIENCE_SECONDS;
  // Settings let in plain HTTP for this very machine alone.
  if (authorityUrl.startsWith('http:')) allowInsecureRequests(configuration);
  return configuration;
}

/** Says who the application is by its certificate, which Entra ID finds by its thumbprint. */
async function assertionOf({ privateKey, certificate }: Extract<Credential, { kind: 'certificate' }>) {
  const key = await crypto.subtle.importKey(
    'pkcs8',
    createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' }),
    { name: 'RSA-PSS', hash: 'SHA-256' },
    false,
    ['sign'],
  );
  const thumbprint = createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url');
  return PrivateKeyJwt(key, {
    [modifyAssertion]: (header) => {
      header['x5t#S256'] = thumbprint;
    },
  });
}

/** Says what an error of the token endpoint means to an operator. */
async function inWords<Result>(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof ResponseBodyError)) throw error;
    const description = (error.error_description ?? '').split('\n')[0];
    const code = /^AADSTS\d+/.exec(description ?? '')?.[0] ?? '';
    const message = `Entra ID gave no token (${error.error}): ${description}${advice[code] ? ` — ${advice[code]}` : ''}`;
    const isForSomebody = error.error === 'invalid_grant' || error.error === 'interaction_required';
    throw isForSomebody ? new SignInNeeded(message, { cause: error }) : new Error(message, { cause: error });
  }
}
