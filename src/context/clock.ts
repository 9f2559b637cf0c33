import type { Em } from '../database/orm.js';
import { prepared } from '../database/prepared.js';
import { query } from '../database/query.js';

/**
 * The time by which use cases judge: the database's, so that one instant is the same to every process and to what reads
 * say. It is handed the database's instant; tests answer another one.
 */
export type Clock = (database: Date) => Date;

/** The clock of every gateway that is no test's. */
export const databaseClock: Clock = (database) => database;

/** The database's clock now, as a column named `at`: milliseconds since 1970. */
export const CLOCK_COLUMN = `extract(epoch from clock_timestamp()) * 1000 as "at"`;

/** The instant of `CLOCK_COLUMN`. */
export const instantOf = (at: string | number) => new Date(Math.floor(Number(at)));

const CLOCK = prepared('clock', `select ${CLOCK_COLUMN}`);

/** What the time is. */
export async function askClock(em: Em, clock: Clock): Promise<Date> {
  const [{ at }] = (await query(em, CLOCK, [])) as [{ at: string }];
  return clock(instantOf(at));
}
