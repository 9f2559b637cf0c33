import type { MetadataStorage } from '@mikro-orm/core';
import DataLoader from 'dataloader';
import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getArgumentValues,
  getNamedType,
} from 'graphql';
import { type Kysely, sql } from 'kysely';
import type { Access } from '../auth/auth.js';
import type { Denials } from '../auth/denials.js';
import type { Viewer } from '../auth/viewer.js';
import { Compiler, columnsOf, jsonOf, type ReadModel, whereAll } from './compile.js';
import { compileConnection } from './compile-connection.js';
import type { Row, Sql } from './model.js';

/** What every reader of the process shares. */
export interface ReadSource {
  kysely: Kysely<unknown>;
  model: ReadModel;
  metadata: MetadataStorage;
  /** Incarnation of the database, for the feed's cursors. */
  incarnation: string;
}

/** A tree of JSON values under response keys. */
export type Tree = Record<string, unknown>;

/**
 * Reads for one request, operation or event: compiles what the resolver's field selects into one statement and answers
 * the tree, aliases and all. Rows that the viewer may not see are absent; fields are null and noted in `denials`.
 */
export class Reader {
  private readonly loaders = new Map<readonly FieldNode[], Map<string, DataLoader<string, Tree | null>>>();

  constructor(
    private readonly source: ReadSource,
    private readonly viewer: Viewer,
    private readonly access: Access,
    private readonly denials: Denials,
  ) {}

  /** The row of `type` that fits, or null. */
  async one(
    typeName: string,
    info: GraphQLResolveInfo,
    where: (row: Row) => Sql,
    abstract = false,
  ): Promise<Tree | null> {
    const compiler = this.compiler(info);
    if (!compiler.mayReach(typeName, info.fieldNodes)) return null;
    const type = compiler.typeOf(typeName);
    const row = compiler.row(type);
    return this.run<Tree | null>(
      compiler.oneFrom(type, row, [where(row), ...compiler.visible(type, row)], info.fieldNodes, abstract),
    );
  }

  /** The rows of `type` that fit, in order: for lists short by nature. */
  async list(
    typeName: string,
    info: GraphQLResolveInfo,
    where: (row: Row) => Sql[],
    orderBy: (row: Row) => Sql[],
  ): Promise<Tree[]> {
    const compiler = this.compiler(info);
    const type = compiler.typeOf(typeName);
    const row = compiler.row(type);
    return this.run<Tree[]>(
      compiler.listFrom(type, row, [...where(row), ...compiler.visible(type, row)], info.fieldNodes, orderBy(row)),
    );
  }

  /** A page of `type` by the arguments of the resolver's field. */
  async connection(
    typeName: string,
    info: GraphQLResolveInfo,
    restrict: (row: Row) => Sql[] = () => [],
  ): Promise<Tree | null> {
    const compiler = this.compiler(info);
    if (!compiler.mayReach(typeName, info.fieldNodes)) return null;
    const field = info.parentType.getFields()[info.fieldName];
    const args = getArgumentValues(field as never, info.fieldNodes[0] as FieldNode, info.variableValues);
    const connectionType = getNamedType(info.returnType).name;
    return this.run<Tree>(
      compileConnection(compiler, compiler.typeOf(typeName), args, info.fieldNodes, connectionType, restrict),
    );
  }

  /** The row of `type` with that id, or null; loads of one field are batched into one statement. */
  load(typeName: string, id: string, info: GraphQLResolveInfo, abstract = false): Promise<Tree | null> {
    const byType = this.loaders.get(info.fieldNodes) ?? new Map<string, DataLoader<string, Tree | null>>();
    const loader =
      byType.get(typeName) ?? new DataLoader((ids: readonly string[]) => this.byIds(typeName, ids, info, abstract));
    this.loaders.set(info.fieldNodes, byType.set(typeName, loader));
    return loader.load(id);
  }

  /** Rows as selected by a statement of the caller's own, such as a grouping; `fields` read the aliases of its columns. */
  async grouped(
    query: Sql,
    alias: string,
    typeName: string,
    info: GraphQLResolveInfo,
    orderBy: Sql[],
  ): Promise<Tree[]> {
    const compiler = this.compiler(info);
    const type = compiler.typeOf(typeName);
    const row = compiler.bareRow(alias);
    const columns = columnsOf(compiler.select(typeName, type.fields, row, info.fieldNodes, false));
    return this.run<Tree[]>(
      sql`(select coalesce(json_agg("$row"), '[]') from (select ${columns} from (${query}) as ${sql.id(alias)} order by ${sql.join(orderBy)}) as "$row")`,
    );
  }

  private async byIds(
    typeName: string,
    ids: readonly string[],
    info: GraphQLResolveInfo,
    abstract: boolean,
  ): Promise<(Tree | null)[]> {
    const compiler = this.compiler(info);
    if (!compiler.mayReach(typeName, info.fieldNodes)) return ids.map(() => null);
    const type = compiler.typeOf(typeName);
    const row = compiler.row(type);
    const json = jsonOf(compiler.select(typeName, type.fields, row, info.fieldNodes, abstract));
    const wanted = sql`${row.col('id')} = any(${sql.val(ids)}::uuid[])`;
    const found = await this.run<{ id: string; json: Tree }[]>(
      sql`(select coalesce(json_agg(json_build_object('id', ${row.col('id')}, 'json', ${json})), '[]') from ${compiler.from(type, row)}${whereAll([wanted, ...compiler.visible(type, row)])})`,
    );
    const byId = new Map(found.map(({ id, json: tree }) => [id, tree]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  private compiler(info: GraphQLResolveInfo): Compiler {
    return new Compiler(
      this.source.model,
      this.source.metadata,
      info,
      this.viewer,
      this.access,
      this.denials,
      this.source.incarnation,
    );
  }

  private async run<Result>(expression: Sql): Promise<Result> {
    const { rows } = await sql<{ json: unknown }>`select ${expression} as "json"`.execute(this.source.kysely);
    const json = rows[0]?.json;
    return (typeof json === 'string' ? JSON.parse(json) : json) as Result;
  }
}

/** Whether a GraphQL type's fields come out of a reader's tree. */
export function isCompiled(model: ReadModel, type: GraphQLObjectType): boolean {
  return model.has(type.name);
}
