import { ErrorResponse, type User, UserManager, WebStorageStateStore } from 'oidc-client-ts';

/** How people sign in, as the gateway tells its pages. */
export interface SignInSettings {
  authority: string;
  clientId: string;
  scopes: string;
}

/** Where somebody stands. `ended`: the provider gives no new token until they sign in again. */
export type SignInState =
  | { kind: 'out' }
  | { kind: 'in'; person: string; name: string; token: string }
  | { kind: 'ended' }
  | { kind: 'failed'; why: string };

/** The waits between tries while the provider does not answer. */
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;
/** Answers of a provider that may be others later. */
const PASSING = ['server_error', 'temporarily_unavailable'];
/** Before a token expires by so many seconds it is renewed. */
const RENEW_BEFORE_S = 60;

/**
 * Signs people in at the identity provider by authorization code and PKCE, and keeps their token fresh. Tokens lie in
 * this tab's session storage: signing in leaves the page, so that memory would not keep them, and they go with the tab.
 * Nothing but the gateway's own scripts runs in its pages (their content security policy), so that no other reads them.
 */
export class SignIn {
  private state: SignInState = { kind: 'out' };
  private readonly listeners = new Set<() => void>();
  private readonly manager: UserManager;
  private isRenewing = false;

  constructor(private readonly settings: SignInSettings) {
    const store = new WebStorageStateStore({ store: sessionStorage });
    this.manager = new UserManager({
      authority: settings.authority,
      client_id: settings.clientId,
      scope: settings.scopes,
      redirect_uri: new URL('/signed-in', location.origin).href,
      post_logout_redirect_uri: new URL('/', location.origin).href,
      userStore: store,
      stateStore: store,
      accessTokenExpiringNotificationTimeInSeconds: RENEW_BEFORE_S,
      automaticSilentRenew: false,
    });
    const { events } = this.manager;
    events.addUserLoaded((user) => this.set(stateOf(user)));
    events.addAccessTokenExpiring(() => void this.renew());
    events.addAccessTokenExpired(() => void this.renew());
  }

  get = (): SignInState => this.state;

  /** Hears every change. @returns how to stop hearing */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes up what this tab knows from before. */
  async resume(): Promise<void> {
    const user = await this.manager.getUser();
    if (!user) return;
    // While the provider does not answer the page is there, without its caller.
    if (user.expired) await Promise.race([this.renew(), pause(FIRST_WAIT_MS)]);
    else this.set(stateOf(user));
  }

  /** Leaves for the provider, which leads back to this page. */
  async begin(): Promise<void> {
    try {
      await this.manager.signinRedirect({ nonce: crypto.randomUUID(), state: location.pathname });
    } catch (error) {
      this.set({ kind: 'failed', why: wordsOf(error, this.settings.authority) });
    }
  }

  /** Trades what the provider led back with for tokens. @returns the path of the page where it began; throws in words */
  async complete(address: string): Promise<string> {
    try {
      const { state } = await this.manager.signinRedirectCallback(address);
      return state === '/live' ? '/live' : '/';
    } catch (error) {
      throw new Error(wordsOf(error, this.settings.authority));
    }
  }

  /** Forgets the tokens, and has the provider forget who is signed in, where it can. */
  async end(): Promise<void> {
    try {
      await this.manager.signoutRedirect();
    } catch {
      await this.manager.removeUser();
      this.set({ kind: 'out' });
    }
  }

  /** Gets a new token by the refresh token; while the provider does not answer, again and again. */
  private async renew(): Promise<void> {
    if (this.isRenewing) return;
    this.isRenewing = true;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      const user = await this.manager.getUser();
      if (!user) break;
      try {
        if (!user.refresh_token) throw new ErrorResponse({ error: 'login_required' });
        await this.manager.signinSilent();
        break;
      } catch (error) {
        if (error instanceof ErrorResponse && !PASSING.includes(error.error ?? '')) {
          // What is left of the token still counts.
          if (!user.expired) break;
          this.set({ kind: 'ended' });
          break;
        }
        await pause(wait);
      }
    }
    this.isRenewing = false;
  }

  private set(state: SignInState): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function stateOf({ access_token: token, profile }: User): SignInState {
  const { sub, preferred_username, email, name } = profile;
  return { kind: 'in', person: sub, name: preferred_username ?? email ?? name ?? sub, token };
}

/** What people are told who could not be signed in. */
function wordsOf(error: unknown, authority: string): string {
  if (error instanceof ErrorResponse)
    return `The identity provider refused: ${error.error_description ?? error.error ?? 'it did not say why'}.`;
  const message = error instanceof Error ? error.message : String(error);
  if (!isSecureContext) return 'Browsers sign in over https, or on this machine itself, only.';
  if (/state/i.test(message))
    return 'This sign-in is over already, or was begun in another tab. Sign in again from the page.';
  return `The identity provider at ${authority} does not answer as it should: ${message}.`;
}
