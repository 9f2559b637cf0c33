import { parseArgs } from 'node:util';
import { readConfig } from '../config/config.js';
import { migrate, migrateDown, openOrm } from '../database/orm.js';
import { entities } from '../schema/entities.js';
import { demoIsLoaded } from '../seed/demo/load-demo.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Brings the tables up to date, as every start of the gateway does, or takes the last migration back.

  npm run migrate
  npm run migrate -- --down [--drop-data]

  --down       takes the last migration back, and with it its tables and what is in them
  --drop-data  where there are customers too

DATABASE_URL says which PostgreSQL server; without it the embedded database in DATA_DIR is meant.`;

/** Before the first migration there is no table to look into; any other error is one. */
function noTables(error: { code?: string }): false {
  if (error.code === '42P01') return false;
  throw error;
}

async function main(): Promise<undefined> {
  const { values: options } = parseArgs({
    options: { down: { type: 'boolean', default: false }, 'drop-data': { type: 'boolean', default: false } },
  });
  const { down } = options;
  if (options['drop-data'] && !down) throw new UsageError('--drop-data goes with --down.');
  const { database } = readConfig();
  const orm = await openOrm(database.kind === 'server' ? { ...database, statementTimeoutMs: 0 } : database, {
    entities,
  });
  try {
    if (down && !options['drop-data'] && (await demoIsLoaded(orm).catch(noTables))) {
      throw new CommandRefused(
        'Taking a migration back drops its tables with what is in them, and there are customers. Nothing was done; if you mean it, add --drop-data.',
      );
    }
    const names = down ? await migrateDown(orm) : await migrate(orm);
    if (!down) await orm.em.fork().transactional((em) => loadReferenceData(em));
    console.log(
      names.length > 0 ? names.map((name) => `${down ? 'took back' : 'ran'} ${name}`).join('\n') : 'nothing to do',
    );
  } finally {
    await orm.close(true);
  }
}

await runCommand(USAGE, main);
