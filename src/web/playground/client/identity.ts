import type { SignInState } from '../../sign-in/client/sign-in';
import type { DemoToken } from './config';

/** The role switch's word for a caller without a token. */
export const ANONYMOUS = 'anonymous';

/** Who the page acts as: `title` for people, `token` for the gateway (null: anonymous). */
export interface Identity {
  title: string;
  /** The same as long as it is the same caller: who has signed in gets new tokens again and again. */
  caller: string;
  token: string | null;
}

const STORAGE_KEY = 'csp-graph:role';

/** The role chosen before in this browser tab, else the first demo role. */
export function recallRole(demoTokens: DemoToken[]): string {
  const remembered = sessionStorage.getItem(STORAGE_KEY);
  const known = remembered === ANONYMOUS || demoTokens.some(({ title }) => title === remembered);
  return known && remembered ? remembered : (demoTokens[0]?.title ?? ANONYMOUS);
}

/** Keeps the choice for this browser tab. Names only: no token is ever stored. */
export function rememberRole(role: string): void {
  sessionStorage.setItem(STORAGE_KEY, role);
}

/** A pasted token wins over who has signed in, and both over the role switch. */
export function identityOf(
  role: string,
  pastedToken: string,
  demoTokens: DemoToken[],
  signedIn: SignInState,
): Identity {
  if (pastedToken) return { title: 'pasted token', caller: pastedToken, token: pastedToken };
  if (signedIn.kind === 'in') return { title: signedIn.name, caller: signedIn.person, token: signedIn.token };
  const demo = demoTokens.find(({ title }) => title === role);
  if (demo) return { title: demo.title, caller: demo.token, token: demo.token };
  return { title: ANONYMOUS, caller: ANONYMOUS, token: null };
}

/** Takes a token as people paste it: with quotes, line breaks, or the word Bearer in front. */
export function cleanToken(text: string): string {
  return text
    .replace(/["'\s]+/g, ' ')
    .trim()
    .replace(/^(authorization: )?bearer /i, '')
    .replaceAll(' ', '');
}

/** What a token says of itself, unverified: a hint for the reader, nothing is decided by it. */
export function describeToken(token: string): string {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (byte) => byte.charCodeAt(0))));
    const until = claims.exp ? `until ${new Date(claims.exp * 1000).toLocaleTimeString()}` : '';
    return [claims.upn ?? claims.preferred_username, [claims.roles].flat().join(', '), until]
      .filter(Boolean)
      .join(' · ');
  } catch {
    return 'not a JWT';
  }
}
