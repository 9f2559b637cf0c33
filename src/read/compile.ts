import type { MetadataStorage } from '@mikro-orm/core';
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isAbstractType,
} from 'graphql';
import { type RawBuilder, sql } from 'kysely';
import type { FeedCursors } from '../activity-log/feed-cursors.js';
import type { Access } from '../auth/auth.js';
import type { Role } from '../auth/role.js';
import { tenantScope } from '../auth/viewer.js';
import { idPrefixes } from '../domain/global-id.js';
import { collectSubFields } from './collect-fields.js';
import { compileConnection } from './compile-connection.js';
import {
  type Field,
  type Fields,
  type Many,
  memberIs,
  type NestedConnection,
  type One,
  type ReadType,
  Row,
  type Sql,
} from './model.js';
import { Args, type Assumption, Param } from './param.js';

/** The operation whose fields are compiled: what graphql-js hands to a resolver. */
export interface Operation {
  schema: GraphQLSchema;
  fragments: Record<string, FragmentDefinitionNode>;
  variableValues: Record<string, unknown>;
  /** Absent: a query. */
  operation?: { operation: string };
}

/** A value in the statement under its response key. */
export interface Selected {
  key: string;
  value: Sql;
}

/** A field whose arguments are evaluated at each run. */
export interface Site {
  field: GraphQLField<unknown, unknown>;
  node: FieldNode;
}

const ownTenant = new Param((run) => tenantScope(run.viewer) as string);

/** Every type that can be read, by GraphQL name. */
export type ReadModel = ReadonlyMap<string, ReadType>;

/**
 * Turns a selection into one SQL expression that yields its JSON, aliases, arguments, paging, access rules and tenant
 * scope inside. Keys of the JSON are response keys, so that a field selected twice with other arguments stands twice.
 */
export class Compiler {
  private aliases = 0;
  /** Fields with arguments, in the order in which they were compiled. */
  readonly sites: Site[] = [];
  readonly assumptions: Assumption[] = [];
  /** What is evaluated at each run even where the statement does not need it: it may refuse. */
  readonly checks: Param<unknown>[] = [];
  /** Whether the answer holds placeholders of the feed's cursors. */
  writesFeedCursors = false;
  /** Whether it reads lists, or looks among several rows for the right one. */
  readsMany = false;

  constructor(
    private readonly model: ReadModel,
    private readonly metadata: MetadataStorage,
    readonly operation: Operation,
    /** Notes the variables that `@skip` and `@include` asked for. */
    private readonly conditions: Map<string, unknown>,
    /** Whether rows of one tenant only may be read: the viewer's, told at each run. */
    private readonly ofOneTenant: boolean,
    /** Whether graphql-js goes on with the tree, and must be told which member of a union an object is. */
    private readonly isExecuted: boolean,
    private readonly access: Access,
    private readonly deny: (coordinate: string, requires: readonly Role[], nodes: readonly FieldNode[]) => void,
    readonly feedCursors: FeedCursors,
  ) {}

  /** The read type of a GraphQL type. */
  typeOf(name: string): ReadType {
    const type = this.model.get(name);
    if (!type) throw new Error(`The read model does not know ${name}`);
    return type;
  }

  /** A new row of a type's table. */
  row(type: ReadType): Row {
    this.aliases += 1;
    return new Row(`t${this.aliases}`, this.metadata.getByClassName(type.entity as never));
  }

  /** The same table's row under the alias of a subquery around it. */
  rowAs(type: ReadType, alias: string): Row {
    return new Row(alias, this.metadata.getByClassName(type.entity as never));
  }

  /** A row of a query that names its columns as the model's properties. */
  bareRow(alias: string): Row {
    return new Row(alias, null);
  }

  /** `table as alias` */
  from(type: ReadType, row: Row): Sql {
    return sql`${sql.table(this.metadata.getByClassName(type.entity as never).tableName)} as ${sql.id(row.alias)}`;
  }

  /** The conditions under which the viewer may see a row: its tenant's, and committed for readers. */
  visible(type: ReadType, row: Row): Sql[] {
    const conditions: Sql[] = [];
    if (this.ofOneTenant && type.scope) conditions.push(type.scope(row, ownTenant));
    if (type.listing?.always) conditions.push(type.listing.always(row));
    return conditions;
  }

  /** Whether rows of a type are read for one tenant only. */
  readsOneTenant(type: ReadType): boolean {
    return this.ofOneTenant && type.scope !== undefined;
  }

  /** Whether the viewer may see the type at all; notes the refusal where not. */
  mayReach(typeName: string, nodes: readonly FieldNode[]): boolean {
    const requires = this.access.denies(typeName);
    if (requires) this.deny(typeName, requires, nodes);
    return requires === null;
  }

  /** The fields that a selection asks of a type, by response key. */
  subFields(type: GraphQLObjectType, nodes: readonly FieldNode[]): ReadonlyMap<string, readonly FieldNode[]> {
    return collectSubFields(this.operation, type, nodes, (name, value) => this.conditions.set(name, value));
  }

  /** The arguments of a field: values come at each run. */
  argsOf(parent: string, nodes: readonly FieldNode[]): Args {
    const node = nodes[0] as FieldNode;
    const type = this.operation.schema.getType(parent) as GraphQLObjectType;
    const site = { field: type.getFields()[node.name.value] as GraphQLField<unknown, unknown>, node };
    const current = getArgumentValues(site.field, node, this.operation.variableValues);
    return new Args(this.sites.push(site) - 1, current, (assumption) => this.assumptions.push(assumption));
  }

  /**
   * The selected fields of an object that is read from `row`. `parentNodes` are the fields that select it.
   * @param abstract whether it is held by an interface or union
   */
  select(typeName: string, fields: Fields, row: Row, parentNodes: readonly FieldNode[], abstract: boolean): Selected[] {
    const type = this.operation.schema.getType(typeName) as GraphQLObjectType;
    const selected: Selected[] = abstract && this.isExecuted ? [memberIs(typeName)] : [];
    for (const [key, nodes] of this.subFields(type, parentNodes)) {
      const name = (nodes[0] as FieldNode).name.value;
      if (name === '__typename') {
        selected.push({ key, value: sql`${typeName}::text` });
        continue;
      }
      const field = fields[name];
      if (!field) throw new Error(`The read model does not know ${typeName}.${name}`);
      const requires = this.access.denies(typeName, name);
      if (requires) {
        this.deny(`${typeName}.${name}`, requires, nodes);
        selected.push({ key, value: sql`null` });
        continue;
      }
      selected.push({ key, value: this.field(typeName, field, row, nodes) });
    }
    return selected;
  }

  private returnTypeOf(parentType: string, nodes: readonly FieldNode[]): GraphQLNamedType {
    const parent = this.operation.schema.getType(parentType) as GraphQLObjectType;
    const field = parent.getFields()[(nodes[0] as FieldNode).name.value] as GraphQLField<unknown, unknown>;
    return getNamedType(field.type);
  }

  private field(parentType: string, field: Field, row: Row, nodes: readonly FieldNode[]): Sql {
    const returned = this.returnTypeOf(parentType, nodes);
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
      case 'reference': {
        // Which type it is, each row says: where one of them is not the viewer's to read, that row has no node.
        const id = field.globalId(row);
        const branches = field.types
          .filter((name) => this.access.denies(name) === null)
          .map((name) => {
            const type = this.typeOf(name);
            const child = this.row(type);
            const where = [sql`${child.col('id')} = substr(${id}, 5)::uuid`, ...this.visible(type, child)];
            return sql`when ${`${idPrefixes[name]}_`}::text then ${this.oneFrom(type, child, where, nodes, true)}`;
          });
        return branches.length > 0 ? sql`case left(${id}, 4) ${sql.join(branches, sql` `)} end` : sql`null`;
      }
      default:
        return this.related(parentType, field, row, nodes, returned);
    }
  }

  /** What a field leads to in another table. */
  private related(
    parentType: string,
    field: One | Many | NestedConnection,
    row: Row,
    nodes: readonly FieldNode[],
    returned: GraphQLNamedType,
  ): Sql {
    const type = this.typeOf(field.type);
    if (!this.mayReach(type.name, nodes)) return sql`null`;
    const args = this.argsOf(parentType, nodes);
    if (field.kind === 'connection')
      return compileConnection(this, type, args, nodes, returned.name, (child) => [field.on(row, child)]);
    const child = this.row(type);
    const where = [field.on(row, child, args), ...this.visible(type, child)];
    return field.kind === 'one'
      ? this.oneFrom(type, child, where, nodes, isAbstractType(returned), field.first?.(child))
      : this.listFrom(type, child, where, nodes, field.orderBy(child));
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
    if (orderBy) this.readsMany = true;
    const order = orderBy ? sql` order by ${sql.join(orderBy)}` : sql``;
    return sql`(select to_json("$row") from (select ${columns} from ${this.from(type, child)}${whereAll(where)}${order} limit 1) as "$row")`;
  }

  /** `(select json array of the matching rows)`, in order. */
  listFrom(type: ReadType, child: Row, where: Sql[], nodes: readonly FieldNode[], orderBy: Sql[]): Sql {
    this.readsMany = true;
    const columns = columnsOf(this.select(type.name, type.fields, child, nodes, false));
    return sql`(select coalesce(json_agg("$row"), '[]') from (select ${columns} from ${this.from(type, child)}${whereAll(where)} order by ${sql.join(orderBy)}) as "$row")`;
  }
}

/** ` where a and b`, or nothing. */
export function whereAll(conditions: Sql[]): RawBuilder<unknown> {
  return conditions.length > 0 ? sql` where ${sql.join(conditions, sql` and `)}` : sql``;
}

/** `a as "x", b as "y"` */
export function columnsOf(selected: Selected[]): RawBuilder<unknown> {
  // A GraphQL name cannot hold "$": the row's own alias never clashes with a response key.
  return sql.join(selected.map(({ key, value }) => sql`${value} as ${sql.id(key)}`));
}

/** JSON object of expressions over rows in reach. */
export function jsonOf(selected: Selected[]): RawBuilder<unknown> {
  return sql`(select to_json("$row") from (select ${columnsOf(selected)}) as "$row")`;
}
