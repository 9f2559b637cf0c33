import type { MetadataStorage } from '@mikro-orm/core';
import {
  type FieldNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getArgumentValues,
  getNamedType,
  isNonNullType,
  locatedError,
} from 'graphql';
import { sql } from 'kysely';
import { masked } from '../auth/access-rule.js';
import type { Access } from '../auth/access-table.js';
import { tenantScope } from '../auth/viewer.js';
import { WITHIN_LIMIT } from '../database/embedded-limit.js';
import { collectSubFields } from './collect-fields.js';
import { type CursorCodec, type Listing, type ReadType } from './model.js';
import type { FieldArguments, Operation, ReadModel } from './operation.js';
import { Args, type Bindings, type Guard, Param } from './param.js';
import { Row, type Sql } from './row.js';

const ownTenant = new Param((bindings) => tenantScope(bindings.viewer) as string);

/** What a compilation is under. */
export interface CompileScopeOptions {
  model: ReadModel;
  metadata: MetadataStorage;
  operation: Operation;
  /** Notes the variables that `@skip` and `@include` asked for. */
  conditions: Map<string, unknown>;
  /** Whether rows of one tenant only may be read: the viewer's, told at each run. */
  ofOneTenant: boolean;
  access: Access;
  /** Hears of each field that is left out because the roles may not read it. */
  onDenied: (coordinate: string, nodes: readonly FieldNode[]) => void;
  /** Codecs of cursors by the names that listings give them. */
  cursorCodecs: ReadonlyMap<string, CursorCodec>;
  /** Whether the statement looks at the clock for each row of what may be many. */
  isSelfLimiting: boolean;
  /** Given where it is compiled for one run of which an argument is refused. */
  judging?: Judging | undefined;
}

/** How a statement is compiled around the fields whose arguments are refused. */
export interface Judging {
  /** The values of the run, with the arguments of the fields compiled so far. */
  bindingsOf: (fieldArguments: readonly FieldArguments[]) => Bindings;
  /** Where the field that is compiled stands in the answer; it grows and shrinks on the way. */
  path: (string | number)[];
  /** Hears of a field that is null because its arguments are refused. */
  onRefused: (error: GraphQLError) => void;
}

/** Who may see which rows and fields while a selection is compiled, and what the compilation needs at each run. */
export class CompileScope {
  private aliases = 0;
  /** Fields with arguments, in the order in which they were compiled. */
  readonly fieldArguments: FieldArguments[] = [];
  readonly guards: Guard[] = [];
  /** What is evaluated at each run even where the statement does not need it: it may refuse. */
  readonly validations: Param<unknown>[] = [];
  /** Codecs whose placeholders the answer holds. */
  readonly usedCodecs = new Set<CursorCodec>();
  /** Whether it reads lists, or looks among several rows for the right one. */
  readsMany = false;

  constructor(private readonly options: CompileScopeOptions) {}

  get operation(): Operation {
    return this.options.operation;
  }

  /** The read type of a GraphQL type. */
  typeOf(name: string): ReadType {
    const type = this.options.model.get(name);
    if (!type) throw new Error(`The read model does not know ${name}`);
    return type;
  }

  /** The codec of a listing's cursors; undefined: the ordinary ones. */
  codecOf({ cursorCodec }: Listing): CursorCodec | undefined {
    if (cursorCodec === undefined) return undefined;
    const codec = this.options.cursorCodecs.get(cursorCodec);
    if (!codec) throw new Error(`There is no cursor codec ${cursorCodec}`);
    return codec;
  }

  /** A new row of a type's table. */
  row(type: ReadType): Row {
    this.aliases += 1;
    return this.rowAs(type, `t${this.aliases}`);
  }

  /** The same table's row under the alias of a subquery around it. */
  rowAs(type: ReadType, alias: string): Row {
    const mask = this.options.ofOneTenant ? type.rows?.mask : undefined;
    const meta = this.options.metadata.getByClassName(type.entity as never);
    if (!mask) return new Row(alias, meta);
    return new Row(alias, meta, (property, column) => masked(mask, { alias, property, column }, sql`${ownTenant}`));
  }

  /** A row of a query that names its columns as the model's properties. */
  bareRow(alias: string): Row {
    return new Row(alias, null);
  }

  /** A new row of a query that belongs to another row, which names its columns as the model's properties. */
  elementRow(): Row {
    this.aliases += 1;
    return this.bareRow(`t${this.aliases}`);
  }

  /** `table as alias`, of which many rows may be read. */
  from(type: ReadType, row: Row): Sql {
    return sql`${this.manyOf(this.tableOf(type))} as ${sql.id(row.alias)}`;
  }

  /** `table as alias`, of which a key finds the row. */
  fromKeyed(type: ReadType, row: Row): Sql {
    return sql`${sql.table(this.tableOf(type))} as ${sql.id(row.alias)}`;
  }

  /**
   * A table of which many rows may be read. The limit has a subselect of its own, which is flattened: so it belongs to the
   * scan of this table, and not to what the table is joined with, where it would be asked of matches only.
   */
  manyOf(table: string): Sql {
    return this.options.isSelfLimiting
      ? sql`(select * from ${sql.table(table)} where ${WITHIN_LIMIT})`
      : sql`${sql.table(table)}`;
  }

  /** Conditions on the rows of a query that may be many. */
  get limits(): Sql[] {
    return this.options.isSelfLimiting ? [WITHIN_LIMIT] : [];
  }

  private tableOf(type: ReadType): string {
    return this.options.metadata.getByClassName(type.entity as never).tableName;
  }

  /** The conditions under which the viewer may see a row: its tenant's, and committed for readers. */
  visible(type: ReadType, row: Row): Sql[] {
    const conditions: Sql[] = [];
    const { toCustomer } = type.rows ?? {};
    if (this.options.ofOneTenant && toCustomer)
      conditions.push(
        sql`${row.customer(toCustomer)} = (select "id" from "customers" where "tenant_id" = ${ownTenant}::uuid)`,
      );
    if (type.listing?.defaultScope) conditions.push(type.listing.defaultScope(row));
    return conditions;
  }

  /** Whether rows of a type are read for one tenant only. */
  readsOneTenant(type: ReadType): boolean {
    return this.options.ofOneTenant && type.rows?.toCustomer !== undefined;
  }

  /** Whether the viewer may see a type, or a field of it; tells of the refusal where not. */
  allows(nodes: readonly FieldNode[], typeName: string, field?: string): boolean {
    const isDenied = this.options.access.denies(typeName, field);
    if (isDenied) this.options.onDenied(field === undefined ? typeName : `${typeName}.${field}`, nodes);
    return !isDenied;
  }

  /** Whether the viewer may have objects of a type by their ids; tells of the refusal where not. */
  allowsById(nodes: readonly FieldNode[], typeName: string): boolean {
    const isReached = this.reaches(typeName);
    if (!isReached) this.options.onDenied(typeName, nodes);
    return isReached;
  }

  /** Whether the viewer may have objects of a type by their ids; a refusal is nobody's to hear. */
  reaches(typeName: string): boolean {
    return !this.options.access.deniesById(typeName);
  }

  /** The fields that a selection asks of a type, by response key. */
  subFields(typeName: string, nodes: readonly FieldNode[]): ReadonlyMap<string, readonly FieldNode[]> {
    const { operation, conditions } = this.options;
    const type = operation.schema.getType(typeName) as GraphQLObjectType;
    return collectSubFields(operation, type, nodes, (name, value) => conditions.set(name, value));
  }

  /** The arguments of a field: values come at each run. */
  argsOf(parent: string, nodes: readonly FieldNode[]): Args {
    const node = nodes[0] as FieldNode;
    const asked = { field: this.fieldOf(parent, nodes), node };
    const current = getArgumentValues(asked.field, node, this.operation.variableValues);
    const index = this.fieldArguments.push(asked) - 1;
    const judgedBy = this.options.judging?.bindingsOf(this.fieldArguments);
    return new Args(index, current, (guard) => this.guards.push(guard), [], judgedBy);
  }

  /** Compiles what stands further down in the answer. Of a list the first item, 0, stands for all of them. */
  within<Compiled>(steps: readonly (string | 0)[], compile: () => Compiled): Compiled {
    const path = this.options.judging?.path;
    if (!path) return compile();
    const { length } = path;
    path.push(...steps);
    try {
      return compile();
    } finally {
      path.length = length;
    }
  }

  /**
   * Compiles a field. One whose arguments are refused is null, with an error that bears its place; where it must not be
   * null, what it belongs to is.
   */
  orRefused(parent: string, key: string, nodes: readonly FieldNode[], compile: () => Sql): Sql {
    const { judging } = this.options;
    if (!judging) return compile();
    const place = [...judging.path, key];
    try {
      return this.within([key], compile);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const located = locatedError(error, nodes, place) as GraphQLError;
      if (isNonNullType(this.fieldOf(parent, nodes).type)) throw located;
      judging.onRefused(located);
      return sql`null`;
    }
  }

  /** The type that a field answers, without lists and non-null. */
  returnTypeOf(parent: string, nodes: readonly FieldNode[]): GraphQLNamedType {
    return getNamedType(this.fieldOf(parent, nodes).type);
  }

  private fieldOf(parent: string, nodes: readonly FieldNode[]): GraphQLField<unknown, unknown> {
    const type = this.operation.schema.getType(parent) as GraphQLObjectType;
    return type.getFields()[(nodes[0] as FieldNode).name.value] as GraphQLField<unknown, unknown>;
  }
}
