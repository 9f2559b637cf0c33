/**
 * Asks the registry for known vulnerabilities of what production installs: `npm run audit`. Ends with 1 where one is high
 * or critical. A registry that does not answer, or is a mirror without this service, has said nothing: that is told
 * aloud, and nothing fails because of the network.
 */
import { execFile } from 'node:child_process';
import { parseArgs } from 'node:util';

const LEVELS = ['high', 'critical'];
const PATIENCE_MS = 60_000;
const USAGE = `Asks the registry for known vulnerabilities of what production installs; ends with 1 where one is high or critical.

  npm run audit
`;

const { values: asked } = parseArgs({ options: { help: { type: 'boolean' } } });
if (asked.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const { out, err } = await new Promise((resolve) => {
  const args = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=20000'];
  execFile('npm', args, { timeout: PATIENCE_MS, maxBuffer: 64 * 1024 * 1024 }, (_error, out, err) =>
    resolve({ out, err }),
  );
});
const report = parse(out);
if (report?.auditReportVersion === undefined) {
  const reason = report?.message ?? report?.error?.summary ?? (err.trim().split('\n')[0] || 'no answer');
  console.log(`SKIPPED: the registry did not say which vulnerabilities are known (${reason})`);
} else {
  const known = Object.values(report.vulnerabilities);
  const grave = known.filter(({ severity }) => LEVELS.includes(severity));
  for (const { name, severity, range, via } of grave) {
    const titles = via.map((cause) => (typeof cause === 'string' ? `by ${cause}` : `${cause.title} ${cause.url}`));
    console.error(`${name} ${range}: ${severity}. ${titles.join('; ')}`);
  }
  console.log(`${known.length} packages with known vulnerabilities, ${grave.length} of them high or critical`);
  if (grave.length > 0) process.exitCode = 1;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
