import { type FieldNode, type GraphQLField, getNamedType } from 'graphql';
import { sql } from 'kysely';
import type { Compiler } from './compile.js';
import { compileNode, compileNodes } from './compile-nodes.js';
import type { RootReads } from './model.js';
import { Param } from './param.js';
import type { Sql } from './row.js';
import { columnsOf, jsonOf, whereAll } from './sql.js';

/** A root field as one expression. */
export function compileRoot(compiler: Compiler, roots: RootReads, nodes: readonly FieldNode[]): Sql {
  const { scope } = compiler;
  const name = (nodes[0] as FieldNode).name.value;
  const root = roots[name];
  if (!root) throw new Error(`The read model does not know Query.${name}`);
  if (root.kind === 'node') return compileNode(compiler, scope.argsOf('Query', nodes), nodes);
  if (root.kind === 'nodes') return compileNodes(compiler, scope.argsOf('Query', nodes), nodes);
  if (!scope.allows(nodes, root.type)) return sql`select null`;
  const type = scope.typeOf(root.type);
  const args = scope.argsOf('Query', nodes);
  if (root.kind === 'connection') {
    const field = scope.operation.schema.getQueryType()?.getFields()[name] as GraphQLField<unknown, unknown>;
    return compiler.connection(type, args, nodes, getNamedType(field.type).name, () => []);
  }
  if (root.kind === 'grouped') {
    scope.readsMany = true;
    const row = scope.bareRow('g');
    const columns = scope.within([0], () => columnsOf(compiler.select(type.name, type.fields, row, nodes, false)));
    const query = root.query(args, (table) => scope.manyOf(table));
    return sql`select coalesce(json_agg("$row"), '[]')
      from (select ${columns} from (${query}) as "g"${whereAll(scope.limits)} order by ${sql.join(root.orderBy(row))}) as "$row"`;
  }
  const row = scope.row(type);
  const visible = scope.visible(type, row);
  if (root.kind === 'one') return compiler.oneFrom(type, row, [root.where(row, args), ...visible], nodes, false);
  return compiler.listFrom(type, row, [...root.where(row, args), ...visible], nodes, root.orderBy(row));
}

const loadedIds = new Param((bindings) => bindings.ids);

/** `[{ id, json }]` of the rows of a type whose ids are bound at each run. */
export function compileByIds(compiler: Compiler, typeName: string, nodes: readonly FieldNode[]): Sql {
  const { scope } = compiler;
  if (!scope.allows(nodes, typeName)) return sql`'[]'::json`;
  scope.readsMany = true;
  const type = scope.typeOf(typeName);
  const row = scope.row(type);
  const json = jsonOf(compiler.select(typeName, type.fields, row, nodes, false));
  const wanted = sql`${row.col('id')} = any(${loadedIds}::uuid[])`;
  return sql`select coalesce(json_agg(json_build_object('id', ${row.col('id')}, 'json', ${json})), '[]')
    from ${scope.from(type, row)}${whereAll([wanted, ...scope.visible(type, row)])}`;
}
