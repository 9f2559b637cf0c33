import { readFileSync } from 'node:fs';
import { openOrm } from '../database/orm.js';
import { accessReport } from '../schema/access-report.js';
import { accessRules } from '../schema/access-rules.js';
import { buildGraph } from '../schema/build-schema.js';
import { entities } from '../schema/entities.js';
import { printAccess, printRoles, withRoles } from '../schema/print-access.js';
import { printGraph } from '../schema/print-schema.js';

/** Part of `npm run check`: the committed contract, table of access and migrations are those of the code. */
const problems: string[] = [];
const read = (file: string) => readFileSync(file, 'utf8');
const schema = await buildGraph();
if (read('schema/schema.graphql') !== printGraph(schema)) {
  problems.push('schema/schema.graphql is not what the code says. Run: npm run schema');
}
const access = accessReport(schema, accessRules);
if (read('docs/access.md') !== printAccess(access, 'markdown')) {
  problems.push(
    'docs/access.md is not what the code says: who may use what has changed. Run: npm run access -- --write',
  );
}
if (read('README.md') !== withRoles(read('README.md'), printRoles(access, schema))) {
  problems.push('The table of roles in README.md is not what the code says. Run: npm run access -- --write');
}
const orm = await openOrm({ kind: 'embedded', dataDir: 'memory://' }, { entities, withSnapshot: true });
if (await orm.migrator.checkSchema()) {
  problems.push('The entities have changed since the last migration. Run: npm run migration:create -- --name PURPOSE');
}
await orm.close(true);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
