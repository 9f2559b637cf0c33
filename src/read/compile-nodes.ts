import type { FieldNode } from 'graphql';
import { sql } from 'kysely';
import { type NodeType, parseGlobalId } from '../domain/global-id.js';
import { badUserInput } from '../graphql/errors.js';
import type { Compiler } from './compile.js';
import { globalId } from './fields.js';
import { type ReadType, UUID_KEY } from './model.js';
import type { Args, Param } from './param.js';
import { type Row, type Sql } from './row.js';
import { jsonOf, whereAll } from './sql.js';

/** Most ids of one `nodes`. */
const MAXIMUM_IDS = 100;

/** `Query.node`: the row with a global id, null where there is none that the viewer may reach. Its type is the plan's. */
export function compileNode(compiler: Compiler, args: Args, nodes: readonly FieldNode[]): Sql {
  const { scope } = compiler;
  const typeName = args.knownAs('id', (id: string) => parsed(id).type);
  if (!scope.allowsById(nodes, typeName)) return sql`select null`;
  const type = scope.typeOf(typeName);
  const row = scope.row(type);
  const key = keyOf(type);
  const id = args.param<string>('id').map((given) => partsOf(parsed(given).id, key.length));
  const wanted = key.map(
    ({ property, type: columnType }, index) =>
      sql`${row.col(property)} = ${id.map((parts) => parts[index])}::${sql.raw(columnType)}`,
  );
  return compiler.oneFrom(type, row, [...wanted, ...scope.visible(type, row)], nodes, true);
}

/**
 * `Query.nodes`: the same for many, in the order of the ids; null in the place of one that is none of ours. The types
 * that occur, each once, are the plan's.
 */
export function compileNodes(compiler: Compiler, args: Args, nodes: readonly FieldNode[]): Sql {
  const { scope } = compiler;
  const names = args.knownAs('ids', (ids: string[]) => {
    if (ids.length > MAXIMUM_IDS) throw badUserInput('ids', `must be at most ${MAXIMUM_IDS}`);
    return [...new Set(ids.flatMap((id) => parseGlobalId(id)?.type ?? []))].join();
  });
  scope.readsMany = true;
  const ids = args.param<string[]>('ids');
  const found = names
    .split(',')
    .filter((name) => name !== '' && scope.allowsById(nodes, name))
    .map((name) => rowsOf(compiler, name as NodeType, ids, nodes));
  if (found.length === 0) return sql`select coalesce(json_agg(null::json), '[]') from unnest(${ids}::text[])`;
  return sql`select coalesce(json_agg("$f"."json" order by "$w"."at"), '[]') from unnest(${ids}::text[]) with ordinality as "$w" ("id", "at") left join (${sql.join(found, sql` union all `)}) as "$f" on "$f"."id" = "$w"."id"`;
}

/** `id, json` of the rows of one type. */
function rowsOf(compiler: Compiler, name: NodeType, ids: Param<string[]>, nodes: readonly FieldNode[]): Sql {
  const { scope } = compiler;
  const type = scope.typeOf(name);
  const row = scope.row(type);
  const json = scope.within([0], () => jsonOf(compiler.select(name, type.fields, row, nodes, true)));
  return sql`select ${globalId(name, keyOf(type)).sql(row)} as "id", ${json} as "json" from ${scope.from(type, row)}${whereAll([isAmong(type, name, row, ids), ...scope.visible(type, row)])}`;
}

/** Whether a row is one of those that ids of its type name. */
function isAmong(type: ReadType, name: NodeType, row: Row, ids: Param<string[]>): Sql {
  const key = keyOf(type);
  const own = ids.map((given) =>
    given.flatMap((globalId) => {
      const found = parseGlobalId(globalId);
      return found?.type === name ? [partsOf(found.id, key.length)] : [];
    }),
  );
  const [first, ...others] = key.map(({ property, type: columnType }, index) => ({
    column: row.col(property),
    values: sql`${own.map((rows) => rows.map((parts) => parts[index]))}::${sql.raw(columnType)}[]`,
  }));
  if (!first) throw new Error(`${type.name} has a key without columns`);
  if (others.length === 0) return sql`${first.column} = any(${first.values})`;
  const columns = [first, ...others];
  return sql`(${sql.join(columns.map(({ column }) => column))}) in (select * from unnest(${sql.join(columns.map(({ values }) => values))}))`;
}

function keyOf({ key = UUID_KEY }: ReadType) {
  return key;
}

/** The values of a key's columns out of an id: the last one may hold what parts them. */
function partsOf(id: string, count: number): string[] {
  const parts = id.split('_');
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join('_')];
}

/** @throws BAD_USER_INPUT */
function parsed(id: string): { type: NodeType; id: string } {
  const found = parseGlobalId(id);
  if (!found) throw badUserInput('id', 'must be an id that the graph gave');
  return found;
}
