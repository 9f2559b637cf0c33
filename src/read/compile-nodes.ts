import type { FieldNode } from 'graphql';
import { sql } from 'kysely';
import { idPrefixes, type NodeType, parseGlobalId } from '../domain/global-id.js';
import { badUserInput } from '../graphql/errors.js';
import type { Compiler } from './compile.js';
import type { Sql } from './model.js';
import type { Args, Param } from './param.js';
import { jsonOf, whereAll } from './sql.js';

/** Most ids of one `nodes`. */
const MAXIMUM_IDS = 100;

/** `Query.node`: the row with a global id, null where there is none that the viewer may reach. Its type is the plan's. */
export function compileNode(compiler: Compiler, args: Args, nodes: readonly FieldNode[]): Sql {
  const { scope } = compiler;
  const typeName = args.knownAs('id', (id: string) => parsed(id, 'id').type);
  if (!scope.allows(nodes, typeName)) return sql`select null`;
  const type = scope.typeOf(typeName);
  const row = scope.row(type);
  const id = args.param<string>('id').map((globalId) => parsed(globalId, 'id').id);
  return compiler.oneFrom(type, row, [sql`${row.col('id')} = ${id}::uuid`, ...scope.visible(type, row)], nodes, true);
}

/** `Query.nodes`: the same for many, in the order of the ids. The types that occur, each once, are the plan's. */
export function compileNodes(compiler: Compiler, args: Args, nodes: readonly FieldNode[]): Sql {
  const { scope } = compiler;
  const names = args.knownAs('ids', (ids: string[]) => {
    if (ids.length > MAXIMUM_IDS) throw badUserInput('ids', `must be at most ${MAXIMUM_IDS}`);
    return [...new Set(ids.map((id, index) => parsed(id, `ids.${index}`).type))].join();
  });
  scope.readsMany = true;
  const ids = args.param<string[]>('ids');
  const found = names
    .split(',')
    .filter((name) => name !== '' && scope.allows(nodes, name))
    .map((name) => rowsOf(compiler, name as NodeType, ids, nodes));
  if (found.length === 0) return sql`select coalesce(json_agg(null::json), '[]') from unnest(${ids}::text[])`;
  return sql`select coalesce(json_agg("$f"."json" order by "$w"."at"), '[]') from unnest(${ids}::text[]) with ordinality as "$w" ("id", "at") left join (${sql.join(found, sql` union all `)}) as "$f" on "$f"."id" = "$w"."id"`;
}

/** `id, json` of the rows of one type. */
function rowsOf(compiler: Compiler, name: NodeType, ids: Param<string[]>, nodes: readonly FieldNode[]): Sql {
  const { scope } = compiler;
  const type = scope.typeOf(name);
  const row = scope.row(type);
  const own = ids.map((globalIds) => globalIds.map((id) => parsed(id, 'ids')).filter((id) => id.type === name));
  const wanted = sql`${row.col('id')} = any(${own.map((list) => list.map(({ id }) => id))}::uuid[])`;
  const json = jsonOf(compiler.select(name, type.fields, row, nodes, true));
  return sql`select ${`${idPrefixes[name]}_`}::text || ${row.col('id')} as "id", ${json} as "json" from ${scope.from(type, row)}${whereAll([wanted, ...scope.visible(type, row)])}`;
}

/** @throws BAD_USER_INPUT naming `field` */
function parsed(globalId: string, field: string): { type: NodeType; id: string } {
  const found = parseGlobalId(globalId);
  if (!found) throw badUserInput(field, 'must be an id that the graph gave');
  return found;
}
