/**
 * Runs suites again and again while every core is kept busy: `npm run stress -- test/a.test.ts [--times 20]`. Tells what
 * failed and how often; ends with 1 where anything did. A suite that fails once in twenty runs has a defect.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** A run that takes longer hangs. */
const RUN_TIMEOUT_MS = 900_000;

const { values, positionals: suites } = parseArgs({
  allowPositionals: true,
  options: { times: { type: 'string', default: '20' } },
});
const times = Number(values.times);
if (suites.length === 0 || !(times > 0)) {
  console.error('usage: npm run stress -- test/a.test.ts [test/b.test.ts ...] [--times 20]');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'csp-graph-stress-'));
const outputFile = join(folder, 'results.json');
/** They end with this process, however it ends. */
const spin = `process.stdin.resume().once('close', () => process.exit()); const turn = () => { for (const end = Date.now() + 50; Date.now() < end; ); setImmediate(turn); }; turn();`;
const spinners = Array.from({ length: availableParallelism() }, () =>
  spawn(process.execPath, ['-e', spin], { stdio: ['pipe', 'ignore', 'inherit'] }),
);

const failures = new Map();
const failed = (what, message) => {
  const known = failures.get(what) ?? { count: 0, messages: new Set() };
  known.count += 1;
  known.messages.add(message.slice(0, 2_000));
  failures.set(what, known);
};

for (let run = 1; run <= times; run += 1) {
  rmSync(outputFile, { force: true });
  const jest = ['run', '--silent', 'jest', '--', ...suites, '--json', `--outputFile=${outputFile}`];
  const started = Date.now();
  const { status } = spawnSync('npm', jest, { stdio: ['ignore', 'ignore', 'pipe'], timeout: RUN_TIMEOUT_MS });
  const results = existsSync(outputFile) ? JSON.parse(readFileSync(outputFile, 'utf8')) : null;
  let count = 0;
  for (const { name, message, assertionResults } of results?.testResults ?? []) {
    const bad = assertionResults.filter((test) => test.status === 'failed');
    for (const test of bad) failed(`${name}: ${test.fullName}`, test.failureMessages.join('\n'));
    // Failed without a test of its own that did: an import, a hook.
    if (bad.length === 0 && message) failed(name, message);
    count += bad.length || (message ? 1 : 0);
  }
  if (status !== 0 && count === 0) failed('the run', `it ended with ${status}`);
  const seconds = ((Date.now() - started) / 1_000).toFixed(0);
  const { numPassedTests: passed = 0, numPendingTests: skipped = 0 } = results ?? {};
  console.log(`run ${run} of ${times}: ${passed} passed, ${count} failed, ${skipped} skipped, ${seconds} s`);
}

for (const spinner of spinners) spinner.kill();
rmSync(folder, { recursive: true });
for (const [what, { count, messages }] of failures) {
  console.error(`\n${what}\nfailed ${count} of ${times} times:\n${[...messages].join('\n\n')}`);
}
console.log(failures.size === 0 ? `nothing failed in ${times} runs` : `${failures.size} failed`);
process.exitCode = failures.size === 0 ? 0 : 1;
