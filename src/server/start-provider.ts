import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { openSharedCounters } from '../cost/shared-counters.js';
import type { Connections } from '../database/pools.js';
import { buyUpstream } from '../modules/fulfilling/buy-upstream.js';
import { cancelUpstream } from '../modules/fulfilling/cancel-upstream.js';
import { Intents } from '../modules/fulfilling/intents.js';
import { type FulfilmentProvider, localProvider } from '../modules/fulfilling/provider.js';
import { CALLS_COUNTER, WINDOW_MS } from '../partner-center/rest/call-budget.js';
import { openPartnerCenter } from '../partner-center/rest/open.js';
import { Purchases } from '../partner-center/rest/purchases.js';
import type { Lifecycle } from './lifecycle.js';

/** What a provider is started with. */
export interface StartProviderOptions {
  config: Config;
  connections: Connections;
  log: Logger;
  lifecycle: Lifecycle;
}

/**
 * Who fulfils: Partner Center where it is set, else nobody but the gateway itself.
 * @throws {ConfigError} where it is not set, and orders were placed there: they would be cancelled here alone
 */
export async function startProvider(options: StartProviderOptions): Promise<FulfilmentProvider> {
  const { config, connections, log, lifecycle } = options;
  const { partnerCenter, limiter, purchaseDelayMs, productKeySecrets: keys } = config;
  const { internal: kysely, internalPool: pool } = connections;
  if (!partnerCenter) {
    const { rows } = await sql`select from "upstream_intents" where "state" <> 'REFUSED' limit 1`.execute(kysely);
    if (rows.length === 0) return localProvider(purchaseDelayMs);
    throw new ConfigError([
      'PARTNER_CENTER_TENANT_ID: not set, and orders of this database were placed in Partner Center, or wait for it; set it and what is needed beside it again',
    ]);
  }
  const counters = openSharedCounters({ limiter, pool, kysely, log });
  lifecycle.onClose(() => counters.close());
  const counter = counters.counter(CALLS_COUNTER, WINDOW_MS);
  const opened = openPartnerCenter({ config: partnerCenter, kysely, keys, counter });
  const tools = { purchases: new Purchases(opened.partnerCenter.client), intents: new Intents(kysely) };
  return {
    keepsIntents: true,
    purchase: (request, signal) => buyUpstream(tools, request, signal),
    cancel: (request, signal) => cancelUpstream(tools, request, signal),
  };
}
