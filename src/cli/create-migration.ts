import { parseArgs } from 'node:util';
import { openOrm } from '../database/orm.js';
import { entities } from '../schema/entities.js';

/**
 * `npm run migration:create -- --name PURPOSE`: writes `migrations/Migration<stamp>_PURPOSE.ts` with what the
 * entities changed since the snapshot. Add it to `migrations/index.ts` and read what it does before inOwnTransaction.
 */
const { values } = parseArgs({ options: { name: { type: 'string' } } });
if (!values.name) throw new Error('Say what the migration is for: npm run migration:create -- --name add_invoices');
const orm = await openOrm({ kind: 'embedded', dataDir: 'memory://' }, { entities, withSnapshot: true });
const created = await orm.migrator.create('migrations', false, false, values.name);
console.log(created.fileName ? `wrote migrations/${created.fileName}` : 'the entities have not changed');
await orm.close(true);
