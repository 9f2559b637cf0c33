import type { MetadataStorage } from '@mikro-orm/core';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import { type Repeated, repeat } from '../lib/repeat.js';
import type { ReadModel } from '../read/operation.js';
import type { Rows } from '../read/weights.js';

/** How often PostgreSQL's own estimates are looked at. */
const REFRESH_MS = 60_000;

/** Bytes of a row of a table that PostgreSQL has not looked at yet, such as one just filled: most rows have more. */
const BYTES_OF_ROW = 100;

/** About how many rows tables have, by PostgreSQL's own estimates: counting would cost more than it is to judge. */
export class TableSizes {
  private readonly sizes = new Map<string, number>();
  private readonly tables: ReadonlyMap<string, string>;
  private refreshing: Repeated | undefined;

  constructor(
    private readonly kysely: Kysely<unknown>,
    model: ReadModel,
    metadata: MetadataStorage,
  ) {
    const read = [...model.values()].filter(({ entity }) => entity !== '');
    this.tables = new Map(
      read.map(({ name, entity }) => [name, metadata.getByClassName(entity as never).tableName as string]),
    );
  }

  /** About how many rows a GraphQL type has. */
  readonly rows: Rows = (type) => this.sizes.get(type) ?? 0;

  /** Takes a type to have so many rows from now on, until it is looked at again. */
  set(type: string, rows: number): void {
    this.sizes.set(type, rows);
  }

  async start(log: Logger): Promise<void> {
    await this.refresh();
    this.refreshing = repeat(REFRESH_MS, 'looking at the sizes of tables', () => this.refresh(), log);
  }

  async stop(): Promise<void> {
    await this.refreshing?.stop();
  }

  private async refresh(): Promise<void> {
    // Asking for the size of a table that somebody holds would wait with them: it has its former size then.
    const { rows } = await sql<{ table: string; rows: number | null }>`
      select "relname" as "table", case
        when "reltuples" >= 0 then "reltuples"
        when not exists (
          select from pg_locks where "relation" = "pg_class"."oid" and "mode" = 'AccessExclusiveLock'
        ) then pg_relation_size("oid") / ${BYTES_OF_ROW}
      end::float8 as "rows" from pg_class
      where "relkind" in ('r', 'p') and "relnamespace" = current_schema()::regnamespace`.execute(this.kysely);
    const byTable = new Map(rows.map(({ table, rows: count }) => [table, count]));
    for (const [type, table] of this.tables) {
      const count = byTable.get(table);
      if (count !== null) this.sizes.set(type, count ?? 0);
    }
  }
}
