import { type FieldNode, isAbstractType } from 'graphql';
import { sql } from 'kysely';
import { idPrefixes } from '../domain/global-id.js';
import { memberIs } from '../graphql/member.js';
import { compileConnection } from './compile-connection.js';
import type { CompileScope } from './compile-scope.js';
import type { Elements, Field, Fields, ReadType, Reference } from './model.js';
import type { Selected } from './operation.js';
import type { Args } from './param.js';
import type { Row, Sql } from './row.js';
import { columnsOf, jsonOf, whereAll } from './sql.js';

/**
 * Turns a selection into one SQL expression that yields its JSON, aliases, arguments, paging, access rules and tenant
 * scope inside. Keys of the JSON are response keys, so that a field selected twice with other arguments stands twice.
 */
export class Compiler {
  constructor(
    readonly scope: CompileScope,
    /** Whether graphql-js goes on with the tree, and must be told which member of a union an object is. */
    private readonly isExecuted: boolean,
  ) {}

  /**
   * The selected fields of an object that is read from `row`. `parentNodes` are the fields that select it.
   * @param abstract whether it is held by an interface or union
   */
  select(typeName: string, fields: Fields, row: Row, parentNodes: readonly FieldNode[], abstract: boolean): Selected[] {
    const selected: Selected[] = abstract && this.isExecuted ? [memberIs(typeName)] : [];
    for (const [key, nodes] of this.scope.subFields(typeName, parentNodes)) {
      const name = (nodes[0] as FieldNode).name.value;
      if (name === '__typename') {
        selected.push({ key, value: sql`${typeName}::text` });
        continue;
      }
      const field = fields[name];
      if (!field) throw new Error(`The read model does not know ${typeName}.${name}`);
      const value = this.scope.allows(nodes, typeName, name)
        ? this.scope.orRefused(typeName, key, nodes, () => this.field(typeName, field, row, nodes))
        : sql`null`;
      selected.push({ key, value });
    }
    return selected;
  }

  /** A page of rows as the JSON of its connection type. @param restrict further conditions, such as the parent's */
  connection(
    type: ReadType,
    args: Args,
    nodes: readonly FieldNode[],
    connectionType: string,
    restrict: (row: Row) => Sql[],
  ): Sql {
    return compileConnection({
      scope: this.scope,
      type,
      args,
      nodes,
      connectionType,
      restrict,
      select: (row, selecting) => this.select(type.name, type.fields, row, selecting, false),
    });
  }

  /** `(select json of the first matching row)`, null where there is none. */
  oneFrom(
    type: ReadType,
    child: Row,
    where: Sql[],
    nodes: readonly FieldNode[],
    abstract: boolean,
    orderBy?: Sql[],
  ): Sql {
    const columns = columnsOf(this.select(type.name, type.fields, child, nodes, abstract));
    if (orderBy) this.scope.readsMany = true;
    const order = orderBy ? sql` order by ${sql.join(orderBy)}` : sql``;
    const from = orderBy ? this.scope.from(type, child) : this.scope.fromKeyed(type, child);
    return sql`(select to_json("$row") from (select ${columns} from ${from}${whereAll(where)}${order} limit 1) as "$row")`;
  }

  /** `(select json array of the matching rows)`, in order. */
  listFrom(type: ReadType, child: Row, where: Sql[], nodes: readonly FieldNode[], orderBy: Sql[]): Sql {
    this.scope.readsMany = true;
    const columns = this.scope.within([0], () => columnsOf(this.select(type.name, type.fields, child, nodes, false)));
    return sql`(select coalesce(json_agg("$row"), '[]') from (select ${columns} from ${this.scope.from(type, child)}${whereAll(where)} order by ${sql.join(orderBy)}) as "$row")`;
  }

  /** `(select json array of the objects that a row holds)`, in order. */
  private elements(type: string, { from, orderBy, fields }: Elements, row: Row, nodes: readonly FieldNode[]): Sql {
    const element = this.scope.elementRow();
    const columns = this.scope.within([0], () => columnsOf(this.select(type, fields, element, nodes, false)));
    return sql`(select coalesce(json_agg("$row"), '[]') from (select ${columns} from ${from(row, sql.id(element.alias))} order by ${sql.join(orderBy(element))}) as "$row")`;
  }

  private field(parentType: string, field: Field, row: Row, nodes: readonly FieldNode[]): Sql {
    const returned = this.scope.returnTypeOf(parentType, nodes);
    switch (field.kind) {
      case 'leaf':
        return field.sql(row);
      case 'embedded': {
        const object = jsonOf(this.select(returned.name, field.fields, row, nodes, false));
        return field.presence ? sql`case when ${field.presence(row)} is null then null else ${object} end` : object;
      }
      case 'union': {
        const branches = Object.entries(field.members).map(
          ([value, member]) =>
            sql`when ${value}::text then ${jsonOf(this.select(member.type, member.fields, row, nodes, true))}`,
        );
        return sql`case ${field.discriminator(row)} ${sql.join(branches, sql` `)} end`;
      }
      case 'elements':
        return this.elements(returned.name, field, row, nodes);
      case 'reference':
        return this.reference(field, row, nodes);
      default:
        return this.related(parentType, field, row, nodes, returned.name, isAbstractType(returned));
    }
  }

  /** What a global id names. Which type, each row says: where that is not the viewer's to read, the row has no node. */
  private reference({ types, globalId }: Reference, row: Row, nodes: readonly FieldNode[]): Sql {
    const id = globalId(row);
    const branches = types
      .filter((name) => this.scope.reaches(name))
      .map((name) => {
        const type = this.scope.typeOf(name);
        const child = this.scope.row(type);
        const where = [sql`${child.col('id')} = substr(${id}, 5)::uuid`, ...this.scope.visible(type, child)];
        return sql`when ${`${idPrefixes[name]}_`}::text then ${this.oneFrom(type, child, where, nodes, true)}`;
      });
    return branches.length > 0 ? sql`case left(${id}, 4) ${sql.join(branches, sql` `)} end` : sql`null`;
  }

  /** Rows of another type that belong to `row`. */
  private related(
    parentType: string,
    field: Extract<Field, { type: string }>,
    row: Row,
    nodes: readonly FieldNode[],
    returned: string,
    isAbstract: boolean,
  ): Sql {
    const type = this.scope.typeOf(field.type);
    if (!this.scope.allows(nodes, type.name)) return sql`null`;
    const args = this.scope.argsOf(parentType, nodes);
    if (field.kind === 'connection')
      return this.connection(type, args, nodes, returned, (child) => [field.on(row, child)]);
    const child = this.scope.row(type);
    const where = [field.on(row, child, args), ...this.scope.visible(type, child)];
    if (field.kind === 'many') return this.listFrom(type, child, where, nodes, field.orderBy(child));
    return this.oneFrom(type, child, where, nodes, isAbstract, field.first?.(child));
  }
}
