import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AccessTable } from '../auth/access-table.js';
import { Role } from '../auth/role.js';
import { SchemaViews } from '../auth/schema-views.js';
import { NOBODY } from '../schema/access-report.js';
import { accessRules } from '../schema/access-rules.js';
import { buildGraph } from '../schema/build-schema.js';
import { printGraph } from '../schema/print-schema.js';
import { runCommand, UsageError } from './run-command.js';

const USAGE = `Writes the contract, as the code says it, into schema/schema.graphql, or prints what of it a role may use.

  npm run schema
  npm run --silent schema -- --role ROLE

  --role ROLE  ${Object.keys(Role).slice(0, 5).join(', ')},
               ${Object.keys(Role).slice(5, 8).join(', ')},
               ${Object.keys(Role).slice(8).join(', ')},
               or ${NOBODY}, who sends no token`;

async function main(): Promise<undefined> {
  const { values } = parseArgs({ options: { role: { type: 'string' } } });
  const role = values.role?.toUpperCase() as Role | typeof NOBODY | undefined;
  if (role !== undefined && role !== NOBODY && !Object.hasOwn(Role, role))
    throw new UsageError(`There is no role ${values.role}.`);
  const schema = await buildGraph();
  if (role !== undefined) {
    const views = new SchemaViews(schema, new AccessTable(accessRules), 'everybody');
    process.stdout.write(views.of({ identity: null, roles: role === NOBODY ? [] : [role] })?.sdl ?? '');
    return;
  }
  writeFileSync('schema/schema.graphql', printGraph(schema));
  console.log('wrote schema/schema.graphql');
}

await runCommand(USAGE, main);
