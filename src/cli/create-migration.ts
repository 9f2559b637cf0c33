import { parseArgs } from 'node:util';
import { openOrm } from '../database/orm.js';
import { entities } from '../schema/entities.js';
import { runCommand, UsageError } from './run-command.js';

const USAGE = `Writes migrations/Migration<stamp>_PURPOSE.ts with what the entities changed since the snapshot.

  npm run migration:create -- --name PURPOSE

Add it to migrations/index.ts and read what it does before committing.`;

async function main(): Promise<undefined> {
  const { values } = parseArgs({ options: { name: { type: 'string' } } });
  if (!values.name) throw new UsageError('What is it for? --name add_invoices');
  const orm = await openOrm({ kind: 'embedded', dataDir: 'memory://' }, { entities, withSnapshot: true });
  try {
    const created = await orm.migrator.create('migrations', false, false, values.name);
    console.log(created.fileName ? `wrote migrations/${created.fileName}` : 'the entities have not changed');
  } finally {
    await orm.close(true);
  }
}

await runCommand(USAGE, main);
