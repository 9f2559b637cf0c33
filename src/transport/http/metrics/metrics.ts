import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { tellCosts, tellKeySets, tellRefusals, tellTransport } from './doors.js';
import { tellFeed, tellNats, tellSeals } from './feed.js';
import { tellJobs } from './jobs.js';
import type { Observed, Told } from './observed.js';
import { tellProductKeys } from './product-keys.js';
import { tellPools, tellReads } from './reads.js';
import { tellSupportFiles } from './support-files.js';

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
  const refreshSeals = tellSeals(observed, registry);
  const refreshProductKeys = tellProductKeys(observed, registry);
  const refreshJobs = tellJobs(observed, registry, gauge);
  const refreshSupportFiles = tellSupportFiles(observed, registry);
  if (observed.nats) tellNats(observed.nats, gauge);
  return {
    contentType: registry.contentType,
    text: async () => {
      await Promise.all([refreshSeals(), refreshProductKeys(), refreshJobs(), refreshSupportFiles()]);
      return registry.metrics();
    },
  };
}
