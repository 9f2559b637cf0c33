import { parseArgs } from 'node:util';
import { type Config, readConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { migrate, openOrm } from '../database/orm.js';
import { acceptEncryptionKeys } from '../modules/entitlements/encryption-keys.js';
import { entities } from '../schema/entities.js';
import { DemoRefused, type DemoSize, defaultDemoSize, loadDemo } from '../seed/demo/load-demo.js';
import { Progress } from '../seed/demo/progress.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Fills a database with invented customers, orders and activity.

  npm run demo -- [--customers N] [--orders N] [--activity N] [--seed N] [--append]

  --customers N  how many customers (default ${defaultDemoSize.customers})
  --orders N     how many orders, over two years (default ${defaultDemoSize.orders})
  --activity N   how many activity entries, at least one for each order
                 (default ${defaultDemoSize.activity}, or 3.5 for each order where that is more)
  --seed N       another number, other rows (default 1)
  --append       add to a database that has customers already

DATABASE_URL says which PostgreSQL server; without it the embedded database in DATA_DIR is filled.`;

interface Arguments extends DemoSize {
  seed: number;
  append: boolean;
}

function readArguments(): Arguments {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: { customers: text, orders: text, activity: text, seed: text, append: flag },
  });
  const numberOf = (name: 'customers' | 'orders' | 'activity' | 'seed', fallback: number, most: number): number => {
    const given = values[name];
    if (given === undefined) return fallback;
    const least = name === 'seed' ? 0 : 1;
    const number = Number(given);
    if (!/^\d+$/.test(given) || number < least || number > most)
      throw new UsageError(`--${name} ${given}: must be a whole number from ${least} to ${most}`);
    return number;
  };
  const orders = numberOf('orders', defaultDemoSize.orders, 10_000_000);
  const activity = numberOf('activity', Math.max(defaultDemoSize.activity, Math.round(orders * 3.5)), 50_000_000);
  if (activity < orders)
    throw new UsageError(`--activity ${activity}: must be at least --orders ${orders}, for every order has its entry`);
  return {
    customers: numberOf('customers', defaultDemoSize.customers, 1_000_000),
    orders,
    activity,
    seed: numberOf('seed', 1, 4_294_967_295),
    append: values.append,
  };
}

async function main(): Promise<undefined> {
  const given = readArguments();
  const config = readConfig();
  if (config.production) throw new CommandRefused('Demonstration data is not for production (NODE_ENV=production)');
  const began = performance.now();
  const loaded = await fill(config, given);
  const seconds = (performance.now() - began) / 1000;
  const where =
    config.database.kind === 'embedded' ? config.database.dataDir : new URL(config.database.url).pathname.slice(1);
  const rows = `${loaded.customers} customers, ${loaded.orders} orders and ${loaded.activity} activity entries`;
  process.stdout.write(`Loaded ${rows} into ${where} in ${seconds.toFixed(1)} s (seed ${given.seed}).\n`);
}

async function fill(config: Config, given: Arguments): Promise<DemoSize> {
  const orm = await openOrm(config.database, { entities });
  const progress = new Progress(process.stderr);
  try {
    await migrate(orm);
    await loadReferenceData(orm.em.fork());
    const problems = await orm.em.fork().transactional((em) => acceptEncryptionKeys(em, config.productKeySecrets));
    if (problems.length > 0) throw new ConfigError(problems);
    return await loadDemo(orm, {
      ...given,
      now: new Date(),
      productKeySecrets: config.productKeySecrets,
      onProgress: (done, total) => progress.show(done, total),
    });
  } catch (error) {
    throw error instanceof DemoRefused ? new CommandRefused(error.message) : error;
  } finally {
    progress.stop();
    await orm.close();
  }
}

await runCommand(USAGE, main);
