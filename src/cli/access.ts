import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Asker, accessReport, askers } from '../schema/access-report.js';
import { accessRules } from '../schema/access-rules.js';
import { buildGraph } from '../schema/build-schema.js';
import { type AccessFormat, accessFormats, printAccess, printRoles, withRoles } from '../schema/print-access.js';
import { runCommand, UsageError } from './run-command.js';

const USAGE = `Prints who may use what: each field and operation by each role, with the rows it reaches.

  npm run --silent access -- [--format csv|markdown|json] [--role ROLE]
  npm run access -- --write

  --format  csv, markdown (default) or json
  --role    only what a role may use: ${askers.join(', ')}
  --write   writes docs/access.md and the table of roles in README.md, which npm run check compares`;

async function main(): Promise<undefined> {
  const { values } = parseArgs({
    options: {
      format: { type: 'string', default: 'markdown' },
      role: { type: 'string' },
      write: { type: 'boolean', default: false },
    },
  });
  const format = values.format as AccessFormat;
  if (!accessFormats.includes(format))
    throw new UsageError(`--format ${values.format}: must be one of ${accessFormats.join(', ')}.`);
  const asker = values.role as Asker | undefined;
  if (asker && !askers.includes(asker)) throw new UsageError(`--role ${asker}: must be one of ${askers.join(', ')}.`);
  const schema = await buildGraph();
  const report = accessReport(schema, accessRules);
  if (!values.write) {
    process.stdout.write(printAccess(report, format, asker));
    return;
  }
  writeFileSync('docs/access.md', printAccess(report, 'markdown'));
  writeFileSync('README.md', withRoles(readFileSync('README.md', 'utf8'), printRoles(report, schema)));
  console.log('wrote docs/access.md and the roles in README.md');
}

await runCommand(USAGE, main);
