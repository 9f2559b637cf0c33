import { parseArgs } from 'node:util';
import { readConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { migrate, migrateDown, openOrm } from '../database/orm.js';
import { entities } from '../schema/entities.js';
import { demoIsLoaded } from '../seed/demo/load-demo.js';
import { loadReferenceData } from '../seed/reference/load-reference-data.js';

/** Before the first migration there is no table to count in; any other error is one. */
function noTables(error: { code?: string }): false {
  if (error.code === '42P01') return false;
  throw error;
}

/** `npm run migrate [-- --down [--drop-data]]`: brings the tables up to date, or takes the last migration back. */
try {
  const { values: options } = parseArgs({
    options: { down: { type: 'boolean', default: false }, 'drop-data': { type: 'boolean', default: false } },
  });
  const { database } = readConfig();
  const orm = await openOrm(database.kind === 'server' ? { ...database, statementTimeoutMs: 0 } : database, {
    entities,
  });
  try {
    const { down } = options;
    if (down && !options['drop-data'] && (await demoIsLoaded(orm).catch(noTables))) {
      throw new Error(
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
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : (error as Error).message);
  process.exitCode = 1;
}
