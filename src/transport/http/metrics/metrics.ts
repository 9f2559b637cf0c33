import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { withinTime } from '../../../lib/time-limit.js';
import { tellCosts, tellKeySets, tellRefusals, tellTransport } from './doors.js';
import { tellFeed, tellNats, tellSeals } from './feed.js';
import { tellJobs } from './jobs.js';
import type { Observed, Told } from './observed.js';
import { tellProductKeys } from './product-keys.js';
import { tellPools, tellReads } from './reads.js';
import { tellSupportFiles } from './support-files.js';
import { tellUpstream } from './upstream.js';

/** Longest wait for what the database is asked. */
const LONGEST_MS = 5_000;

/** The metrics of a gateway, in the form of Prometheus. */
export interface Metrics {
  contentType: string;
  /** All of them as they are now. */
  text(): Promise<string>;
}

/** The metrics of a gateway. */
export function createMetrics(observed: Observed): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const telling =
    (tell: (name: string, help: string, read: () => number) => void): Told =>
    (names, help, read) => {
      const [name, ...former] = [names].flat() as [string, ...string[]];
      tell(name, help, read);
      for (const old of former) tell(old, `${help} Now ${name}; this name goes with the next release.`, read);
    };
  const gauge = telling(
    (name, help, read) =>
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      }),
  );
  const counter = telling(
    (name, help, read) =>
      new Counter({
        name,
        help,
        registers: [registry],
        collect() {
          this.reset();
          this.inc(read());
        },
      }),
  );
  tellTransport(observed, gauge, counter);
  tellRefusals(observed, registry);
  tellCosts(observed, registry);
  tellKeySets(observed, gauge);
  tellFeed(observed, gauge);
  tellReads(observed, gauge, counter);
  tellPools(observed, registry, gauge);
  const refresh = oneAfterAnother([
    tellSeals(observed, registry),
    tellJobs(observed, registry, gauge),
    tellSupportFiles(observed, registry),
    tellProductKeys(observed, registry),
    tellUpstream(observed, registry),
  ]);
  if (observed.nats) tellNats(observed.nats, gauge);
  return {
    contentType: registry.contentType,
    text: async () => {
      await refresh();
      return registry.metrics();
    },
  };
}

/**
 * Brings figures up to date that the database knows, on one connection, once for all who ask meanwhile. Where it takes
 * long, because somebody holds a table, what was told last is told again: the other figures are wanted most then.
 */
function oneAfterAnother(refreshes: readonly (() => Promise<void>)[]): () => Promise<void> {
  let running: Promise<void> | null = null;
  const all = async () => {
    try {
      for (const refresh of refreshes) await refresh();
    } finally {
      running = null;
    }
  };
  return () => {
    running ??= all();
    return withinTime(running, LONGEST_MS, 'the database').catch(() => undefined);
  };
}
