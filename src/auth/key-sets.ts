import { createLocalJWKSet, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { JWKSNoMatchingKey } from 'jose/errors';
import type { Logger } from 'pino';
import { z } from 'zod';
import { TENANT_PLACEHOLDER } from '../config/auth-config.js';
import { codedError, ErrorCode } from '../graphql/errors.js';
import { boundedText } from '../lib/bounded-text.js';

/** A set as old as this is fetched again when it is next asked: a key that the provider withdraws counts so long. */
const FRESH_MS = 600_000;
/** A key that is not in the set has it fetched again, though not more often than this: anybody can invent key ids. */
const UNKNOWN_KEY_MS = 10_000;
/** How long the provider may take to answer, and how much it may say: Microsoft's sets have about 20 KB. */
const TIMEOUT_MS = 5_000;
const MAXIMUM_BYTES = 1_048_576;
/** The wait after a fetch that failed; it doubles with each failure in a row, up to the longest. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** Microsoft says of a key whose it is: `issuer`, with `{tenantid}` where it is every tenant's. */
const keySetForm = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), issuer: z.string().optional() })).min(1),
});
type Key = z.infer<typeof keySetForm>['keys'][number];

/** What a key set needs of its surroundings. */
export interface KeySetOptions {
  log: Logger;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** The key sets of all providers, one for each address. */
export class KeySets {
  private readonly sets = new Map<string, KeySet>();

  constructor(private readonly options: KeySetOptions) {}

  of(url: URL): KeySet {
    const known = this.sets.get(url.href) ?? new KeySet(url, this.options);
    this.sets.set(url.href, known);
    return known;
  }

  /** Those that tokens have asked for. */
  get states(): readonly KeySetState[] {
    return [...this.sets.values()];
  }
}

/** How a key set stands, for the metrics. */
export interface KeySetState {
  /** Where it is. */
  readonly url: string;
  /** Seconds since it was fetched last; infinite: never. */
  readonly ageSeconds: number;
  /** Fetches that failed in a row; 0: the provider is in reach. */
  readonly failures: number;
}

/**
 * The keys of an identity provider. The last good set is kept through an outage, however long: known keys stay good.
 * There is one fetch at a time, and after a failure none for a while, whoever asks. An answer that is no key set
 * counts as a failure. (jose's own `createRemoteJWKSet` lets go of its keys with their age.)
 */
export class KeySet implements KeySetState {
  readonly url: string;
  failures = 0;
  private keys: Key[] | null = null;
  /** Those that may sign for an issuer, as jose wants them. */
  private readonly signing = new Map<string, ReturnType<typeof createLocalJWKSet>>();
  private fetchedAt = Number.NEGATIVE_INFINITY;
  /** When a key that was not there had it fetched last. */
  private missedAt = Number.NEGATIVE_INFINITY;
  private failedSince = 0;
  private retryAt = Number.NEGATIVE_INFINITY;
  private fetching: Promise<void> | null = null;
  private readonly log: Logger;
  private readonly now: () => number;

  constructor(url: URL, { log, now = Date.now }: KeySetOptions) {
    this.url = url.href;
    this.log = log;
    this.now = now;
  }

  get ageSeconds(): number {
    return (this.now() - this.fetchedAt) / 1_000;
  }

  /**
   * The key that a token of an issuer says it was signed with, as jose asks for it.
   * @throws UNAVAILABLE where the key is not known and the provider cannot be asked
   * @throws {JWKSNoMatchingKey} where the provider does not list the key
   */
  async keyOf(issuer: string, header: JWSHeaderParameters, token: FlattenedJWSInput) {
    const askedAt = this.now();
    await this.freshen();
    try {
      return await this.known(issuer)(header, token);
    } catch (error) {
      if (!(error instanceof JWKSNoMatchingKey)) throw error;
      const isJustFetched = this.fetchedAt >= askedAt || askedAt - this.missedAt < UNKNOWN_KEY_MS;
      if (isJustFetched && this.failures === 0) throw error;
      await this.fetchUnlessWaiting();
      if (this.failures > 0) throw this.outOfReach();
      this.missedAt = this.now();
      return this.known(issuer)(header, token);
    }
  }

  /**
   * Waits for an aged set to be fetched, unless the provider failed just now: then the old one serves meanwhile, and
   * whoever comes asks whether the provider is back.
   */
  private async freshen(): Promise<void> {
    if (this.failures === 0 && this.now() - this.fetchedAt < FRESH_MS) return;
    const mayWait = this.keys === null || this.failures === 0;
    const fetched = this.fetchUnlessWaiting();
    if (mayWait) await fetched;
  }

  private known(issuer: string) {
    if (!this.keys) throw this.outOfReach();
    // A key that is somebody's own signs for nobody else: personal accounts have one in Microsoft's common set.
    const isOwn = (key: Key) => key.issuer !== undefined && !key.issuer.includes(TENANT_PLACEHOLDER);
    const owner = this.keys.some((key) => isOwn(key) && key.issuer === issuer) ? issuer : '';
    const found = this.signing.get(owner);
    if (found) return found;
    const keys = this.keys.filter((key) => !isOwn(key) || key.issuer === owner);
    const signing = createLocalJWKSet({ keys } as JSONWebKeySet);
    this.signing.set(owner, signing);
    return signing;
  }

  /** Fetches, or joins the fetch that runs; neither while it is waited for the provider. Never rejects. */
  private fetchUnlessWaiting(): Promise<void> {
    if (this.fetching) return this.fetching;
    if (this.now() < this.retryAt) return Promise.resolve();
    this.fetching = this.fetch().finally(() => {
      this.fetching = null;
    });
    return this.fetching;
  }

  private async fetch(): Promise<void> {
    try {
      this.keys = await fetchKeySet(this.url);
      this.signing.clear();
    } catch (error) {
      const now = this.now();
      this.failures += 1;
      this.retryAt = now + Math.min(FIRST_WAIT_MS * 2 ** (this.failures - 1), LONGEST_WAIT_MS);
      if (this.failures > 1) return;
      this.failedSince = now;
      this.log.warn(
        { err: error, url: this.url },
        'the key set of the identity provider is out of reach; known keys stay good, and it is tried again',
      );
      return;
    }
    this.fetchedAt = this.now();
    if (this.failures > 0)
      this.log.warn(
        { url: this.url, seconds: Math.round((this.fetchedAt - this.failedSince) / 1_000) },
        'the key set of the identity provider is in reach again',
      );
    this.failures = 0;
    this.retryAt = Number.NEGATIVE_INFINITY;
  }

  private outOfReach() {
    const retryAfter = Math.max(1, Math.ceil((this.retryAt - this.now()) / 1_000));
    return codedError(
      ErrorCode.UNAVAILABLE,
      `The identity provider is out of reach, so that the token cannot be checked. Try again in ${retryAfter} s.`,
      { extensions: { retryAfter } },
    );
  }
}

/** @throws where it is not answered in time, with 200, within the size, with keys */
async function fetchKeySet(url: string): Promise<Key[]> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // An address over https must not lead to one that is not.
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`it answered ${response.status}`);
  }
  return keySetForm.parse(JSON.parse(await boundedText(response, MAXIMUM_BYTES))).keys;
}
