import type { IncomingMessage } from 'node:http';

/** Whose pages may ask: the gateway's own, and those that `CORS_ORIGINS` names. */
export class Origins {
  private readonly named: ReadonlySet<string>;

  /** @param publicUrl under which pages know the gateway, where a proxy asks it by another host */
  constructor(origins: readonly string[], publicUrl: string | null) {
    this.named = new Set(publicUrl === null ? origins : [...origins, new URL(publicUrl).origin]);
  }

  /** Whether a page of another origin may read answers. */
  isNamed(origin: string): boolean {
    return this.named.has(origin);
  }

  /** Whether a page may ask: also the one that is served here itself. Who is no browser sends no origin. */
  mayAsk({ headers: { origin, host } }: Pick<IncomingMessage, 'headers'>): boolean {
    if (origin === undefined || this.isNamed(origin)) return true;
    return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
  }
}

/** What a page is told that may not ask. */
export function originRefused(origin: string): string {
  return `Pages of ${origin.slice(0, 200)} may not ask this gateway. Its operator can let them in with CORS_ORIGINS.`;
}
