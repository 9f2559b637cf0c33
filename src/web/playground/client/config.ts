import type { SignInSettings } from '../../sign-in/client/sign-in';

/** A token that the gateway signs itself, outside production, so that everyone can look through everyone's eyes. */
export interface DemoToken {
  role: string;
  title: string;
  token: string;
}

/** An operation that opens as a tab. */
export interface Example {
  name: string;
  query: string;
  variables?: string;
}

/** What the gateway tells the page about itself. */
export interface PlaygroundConfig {
  demoTokens: DemoToken[];
  /** How to sign in at the identity provider; null: nobody does here. */
  signIn: SignInSettings | null;
  /** Where a token comes from that the page does not give; null: it gives one. */
  advice: string | null;
  examples: Example[];
}

/** Asks the gateway for its settings and fresh demo tokens. */
export async function fetchConfig(): Promise<PlaygroundConfig> {
  const response = await fetch('/playground/config.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`The gateway answered ${response.status} to /playground/config.json`);
  return response.json();
}
