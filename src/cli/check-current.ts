import { readFileSync } from 'node:fs';
import { openOrm } from '../database/orm.js';
import { buildGraph } from '../schema/build-schema.js';
import { entities } from '../schema/entities.js';
import { printGraph } from '../schema/print-schema.js';

/** Part of `npm run check`: the committed contract and migrations are those of the code. */
const problems: string[] = [];
if (readFileSync('schema/schema.graphql', 'utf8') !== printGraph(await buildGraph())) {
  problems.push('schema/schema.graphql is not what the code says. Run: npm run schema');
}
const orm = await openOrm({ kind: 'embedded', dataDir: 'memory://' }, { entities, withSnapshot: true });
if (await orm.migrator.checkSchema()) {
  problems.push('The entities have changed since the last migration. Run: npm run migration:create -- --name PURPOSE');
}
await orm.close(true);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
