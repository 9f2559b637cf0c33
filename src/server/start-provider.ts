import { type Kysely, sql } from 'kysely';
import type { Config } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import type { SharedCounters } from '../cost/shared-counters.js';
import type { Upstream, UpstreamAccount } from '../domain/upstream.js';
import { buyUpstream } from '../modules/fulfilling/buy-upstream.js';
import { cancelUpstream } from '../modules/fulfilling/cancel-upstream.js';
import { Intents } from '../modules/fulfilling/intents.js';
import { type FulfilmentProvider, localProvider } from '../modules/fulfilling/provider.js';
import { CALLS_COUNTER, WINDOW_MS } from '../partner-center/rest/call-budget.js';
import { openPartnerCenter } from '../partner-center/rest/open.js';
import { Purchases } from '../partner-center/rest/purchases.js';
import { tellingOf } from '../partner-center/rest/telling.js';

/** What a provider is started with. */
export interface StartProviderOptions {
  config: Config;
  kysely: Kysely<unknown>;
  counters: SharedCounters;
}

/** What stands behind the gateway. */
export interface StartedProvider {
  provider: FulfilmentProvider;
  /** What tells of the partner's business; null: nobody but the gateway itself. */
  telling: Telling | null;
}

/** An upstream that tells, with what operators are to know of the way to it. */
export interface Telling {
  upstream: Upstream;
  account: UpstreamAccount;
}

/**
 * Who fulfils: Partner Center where it is set, else nobody but the gateway itself.
 * @throws {ConfigError} where it is not set, and orders were placed there: they would be cancelled here alone
 */
export async function startProvider(options: StartProviderOptions): Promise<StartedProvider> {
  const { config, kysely, counters } = options;
  const { partnerCenter, purchaseDelayMs, productKeySecrets: keys } = config;
  if (!partnerCenter) {
    const { rows } = await sql`select from "upstream_intents" where "state" <> 'REFUSED' limit 1`.execute(kysely);
    if (rows.length === 0) return { provider: localProvider(purchaseDelayMs), telling: null };
    throw new ConfigError([
      'PARTNER_CENTER_TENANT_ID: not set, and orders of this database were placed in Partner Center, or wait for it; set it and what is needed beside it again',
    ]);
  }
  const counter = counters.counter(CALLS_COUNTER, WINDOW_MS);
  const opened = openPartnerCenter({ config: partnerCenter, kysely, keys, counter });
  const tools = { purchases: new Purchases(opened.partnerCenter.client), intents: new Intents(kysely) };
  const provider: FulfilmentProvider = {
    keepsIntents: true,
    purchase: (request, signal) => buyUpstream(tools, request, signal),
    cancel: (request, signal) => cancelUpstream(tools, request, signal),
  };
  const { signIn, budget } = opened;
  const upstream = tellingOf(opened.partnerCenter);
  const { isSandbox, callsPerMinute } = partnerCenter;
  const ways = { callsUsed: () => budget.used(), signInDueAt: () => signIn.dueAt() };
  return { provider, telling: { upstream, account: { kind: upstream.kind, isSandbox, callsPerMinute, ...ways } } };
}
