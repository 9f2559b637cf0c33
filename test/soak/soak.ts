import { spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HistoryRun, type Nemesis } from '../support/history/history-run.js';

/** Between two strikes. */
const REST_MS = 5_000;
const REPORT_MS = 30_000;
/** Most that are told one by one. */
const TOLD_VIOLATIONS = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    gateways: { type: 'string', default: '3' },
    writers: { type: 'string', default: '6' },
    traders: { type: 'string', default: '3' },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');

const startedAt = Date.now();
const run = await HistoryRun.start({
  gateways: Number(values.gateways),
  writers: Number(values.writers),
  traders: Number(values.traders),
  restMs: 60,
  longMs: 2_000,
  // Each holds the feed back; more of them, and nothing else would be seen.
  longEvery: 300,
  ...(process.env['TEST_DATABASE_URL'] ? { databaseUrl: process.env['TEST_DATABASE_URL'] } : {}),
});
const nemeses: Nemesis[] = ['kill', 'cut', 'terminate back ends', 'deploy', 'revoke'];
if (run.canRestart) nemeses.push('restart', 'crash');
else say('PostgreSQL is not restarted: initdb is not on this machine.');

const bytesAtStart = new Map(run.gateways.map((gateway) => [gateway, gateway.memory()]));
let failed = true;
try {
  await run.subscribe();
  run.write();
  const end = Date.now() + minutes * 60_000;
  let reportAt = Date.now() + REPORT_MS;
  for (let turn = 0; Date.now() < end; turn += 1) {
    await setTimeout(REST_MS);
    if (turn === 10) await run.subscribe(2);
    const nemesis = nemeses[turn % nemeses.length] as Nemesis;
    if (nemesis === 'revoke') await run.subscribeRevocable(`revoked at turn ${turn}`);
    await run.strike(nemesis);
    for (const gateway of run.gateways) if (!bytesAtStart.has(gateway)) bytesAtStart.set(gateway, gateway.memory());
    if (Date.now() < reportAt) continue;
    reportAt += REPORT_MS;
    say(figures());
  }
  // Those who were not revoked yet are, so that all have an end.
  while (run.revocable > 0) await run.strike('revoke');
  const memory = run.gateways.map(
    (gateway) => `${megabytes(bytesAtStart.get(gateway) ?? 0)} -> ${megabytes(gateway.memory())}`,
  );
  const { violations, log } = await run.finish();
  say(figures());
  const closed = log.filter(({ action }) => action === 'MONTH_CLOSED').length;
  say(
    `log ${log.length} entries, ${closed} of them months that were closed; memory of the gateways since they started, MB: ${memory.join(', ')}`,
  );
  for (const surprise of run.surprises) say(`SURPRISE ${surprise}`);
  for (const { kind, subscriber, what } of violations.slice(0, TOLD_VIOLATIONS))
    say(`VIOLATION ${kind}: ${subscriber}: ${what}`);
  say(`${violations.length} violations, ${run.surprises.length} surprises`);
  const ledger = spawnSync(process.execPath, ['dist/src/cli/check-ledger.js'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: run.url },
    encoding: 'utf8',
  });
  say((ledger.stdout || ledger.stderr).trim());
  // A ledger of nothing balances whatever is wrong.
  const isEmpty = Number(values.traders) > 0 && / with 0 lines/.test(ledger.stdout);
  if (isEmpty) say('The ledger is empty: nobody has bought anything.');
  failed = violations.length > 0 || run.surprises.length > 0 || ledger.status !== 0 || isEmpty;
} finally {
  await run.stop();
}
process.exit(failed ? 1 : 0);

/** What has been so far, in one line. */
function figures(): string {
  const { writing, trading, subscribers, done, mutations } = run;
  const delivered = subscribers.reduce((sum, { arrivedAt }) => sum + arrivedAt.length, 0);
  const connections = subscribers.reduce((sum, subscriber) => sum + subscriber.connections(), 0);
  const goodbyes = subscribers.reduce((sum, subscriber) => sum + subscriber.goodbyes(), 0);
  return [
    `${Math.round((Date.now() - startedAt) / 1000)} s`,
    `bought ${trading.bought}, cancelled ${trading.cancelled}`,
    `committed ${writing.acknowledged.size} (${mutations} mutations), rolled back ${writing.rolledBack}, long ${writing.long}, savepoints ${writing.savepoints}, connections of writers lost ${writing.lost}`,
    `subscribers ${subscribers.length}, delivered ${delivered}, connected again ${connections - subscribers.length}, goodbyes ${goodbyes}`,
    Object.entries(done)
      .map(([nemesis, count]) => `${nemesis} ${count}`)
      .join(', '),
    `commit to arrival, ms: ${delays()}`,
  ].join('; ');
}

/** Delays of the quick subscriber; what waits for a long transaction, or a process that is gone, counts as late. */
function delays(): string {
  const [quick] = run.subscribers;
  const all = (quick?.observation.seen ?? [])
    .map(
      ({ label }, index) => (quick?.arrivedAt[index] as number) - (run.writing.acknowledged.get(label) ?? Number.NaN),
    )
    .filter((delay) => !Number.isNaN(delay))
    .map((delay) => Math.max(delay, 0))
    .sort((a, b) => a - b);
  return [0.5, 0.99].map((share) => `p${share * 100} ${all[Math.floor(all.length * share)] ?? '-'}`).join(', ');
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
