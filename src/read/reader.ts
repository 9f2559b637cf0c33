import type { MetadataStorage } from '@mikro-orm/core';
import DataLoader from 'dataloader';
import { type FieldNode, type GraphQLField, type GraphQLResolveInfo, getNamedType } from 'graphql';
import { type Kysely, sql } from 'kysely';
import type { Access } from '../auth/auth.js';
import type { Denials } from '../auth/denials.js';
import { tenantScope, type Viewer } from '../auth/viewer.js';
import { Compiler, columnsOf, jsonOf, type Operation, type ReadModel, whereAll } from './compile.js';
import { compileConnection } from './compile-connection.js';
import type { Execute } from './execute.js';
import type { RootReads, Sql } from './model.js';
import { Param } from './param.js';
import { type Denial, finishPlan, type Plan, type PlanCache, parametersOf, runOf } from './plan.js';

/** What every reader of the process shares. */
export interface ReadSource {
  kysely: Kysely<unknown>;
  model: ReadModel;
  roots: RootReads;
  metadata: MetadataStorage;
  /** Incarnation of the database, for the feed's cursors. */
  incarnation: string;
  plans: PlanCache;
  execute: Execute;
}

/** A tree of JSON values under response keys. */
export type Tree = Record<string, unknown>;

const loadedIds = new Param((run) => run.ids);

/**
 * Reads for one request, operation or event: what a field selects is one statement, compiled once per document, roles
 * and shape of the arguments. Rows that the viewer may not see are absent; fields are null and noted in `denials`.
 */
export class Reader {
  private readonly loaders = new Map<readonly FieldNode[], Map<string, DataLoader<string, Tree | null>>>();

  constructor(
    private readonly source: ReadSource,
    private readonly viewer: Viewer,
    private readonly access: Access,
    private readonly denials: Denials,
  ) {}

  /** Whether a root field is one of the read model's. */
  answers(rootField: string): boolean {
    return Object.hasOwn(this.source.roots, rootField);
  }

  /** What a root field answers, as the JSON text of PostgreSQL. @throws BAD_USER_INPUT for arguments that do not hold */
  rootText(operation: Operation, nodes: readonly FieldNode[]): Promise<string> {
    return this.text(operation, nodes, 'root', false, (compiler) => this.compileRoot(compiler, nodes));
  }

  /** What a root field answers, as a tree. */
  async root(info: GraphQLResolveInfo): Promise<Tree | Tree[] | null> {
    const compile = (compiler: Compiler) => this.compileRoot(compiler, info.fieldNodes);
    return JSON.parse(await this.text(info, info.fieldNodes, 'executed root', true, compile));
  }

  /** The row of `type` with that id, or null; loads of one field are batched into one statement. */
  load(typeName: string, id: string, info: GraphQLResolveInfo, abstract = false): Promise<Tree | null> {
    const byType = this.loaders.get(info.fieldNodes) ?? new Map<string, DataLoader<string, Tree | null>>();
    const loader =
      byType.get(typeName) ?? new DataLoader((ids: readonly string[]) => this.byIds(typeName, ids, info, abstract));
    this.loaders.set(info.fieldNodes, byType.set(typeName, loader));
    return loader.load(id);
  }

  private async byIds(
    typeName: string,
    ids: readonly string[],
    info: GraphQLResolveInfo,
    abstract: boolean,
  ): Promise<(Tree | null)[]> {
    const compile = (compiler: Compiler) => {
      if (!compiler.mayReach(typeName, info.fieldNodes)) return sql`'[]'::json`;
      const type = compiler.typeOf(typeName);
      const row = compiler.row(type);
      const json = jsonOf(compiler.select(typeName, type.fields, row, info.fieldNodes, abstract));
      const wanted = sql`${row.col('id')} = any(${loadedIds}::uuid[])`;
      return sql`select coalesce(json_agg(json_build_object('id', ${row.col('id')}, 'json', ${json})), '[]') from ${compiler.from(type, row)}${whereAll([wanted, ...compiler.visible(type, row)])}`;
    };
    const found: { id: string; json: Tree }[] = JSON.parse(
      await this.text(info, info.fieldNodes, `${typeName}:${abstract}`, true, compile, ids),
    );
    const byId = new Map(found.map(({ id, json }) => [id, json]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  private compileRoot(compiler: Compiler, nodes: readonly FieldNode[]): Sql {
    const name = (nodes[0] as FieldNode).name.value;
    const root = this.source.roots[name];
    if (!root) throw new Error(`The read model does not know Query.${name}`);
    if (!compiler.mayReach(root.type, nodes)) return sql`select null`;
    const type = compiler.typeOf(root.type);
    const args = compiler.argsOf('Query', nodes);
    if (root.kind === 'connection') {
      const field = compiler.operation.schema.getQueryType()?.getFields()[name] as GraphQLField<unknown, unknown>;
      return compileConnection(compiler, type, args, nodes, getNamedType(field.type).name, () => []);
    }
    if (root.kind === 'grouped') {
      const row = compiler.bareRow('g');
      const columns = columnsOf(compiler.select(type.name, type.fields, row, nodes, false));
      return sql`select coalesce(json_agg("$row"), '[]') from (select ${columns} from (${root.query(args)}) as "g" order by ${sql.join(root.orderBy(row))}) as "$row"`;
    }
    const row = compiler.row(type);
    if (root.kind === 'one')
      return compiler.oneFrom(type, row, [root.where(row, args), ...compiler.visible(type, row)], nodes, false);
    return compiler.listFrom(
      type,
      row,
      [...root.where(row, args), ...compiler.visible(type, row)],
      nodes,
      root.orderBy(row),
    );
  }

  /** Runs the plan of a field, which is compiled where none fits. */
  private async text(
    operation: Operation,
    nodes: readonly FieldNode[],
    kind: string,
    isExecuted: boolean,
    compile: (compiler: Compiler) => Sql,
    ids?: readonly string[],
  ): Promise<string> {
    const ofOneTenant = tenantScope(this.viewer) !== null;
    const key = `${kind}|${this.access.key}`;
    const { plan, run } = this.source.plans.get(
      nodes,
      key,
      operation.variableValues,
      (candidate) => runOf(candidate.sites, operation.variableValues, this.viewer, ids),
      () => this.compilePlan(operation, nodes, ofOneTenant, isExecuted, compile),
    );
    for (const { coordinate, requires, nodes: denied } of plan.denials) this.denials.add(coordinate, requires, denied);
    return (await this.source.execute(plan, parametersOf(plan, run))) ?? 'null';
  }

  private compilePlan(
    operation: Operation,
    nodes: readonly FieldNode[],
    ofOneTenant: boolean,
    isExecuted: boolean,
    compile: (compiler: Compiler) => Sql,
  ): Plan {
    const { model, metadata, incarnation, kysely } = this.source;
    const denials: Denial[] = [];
    const conditions = new Map<string, unknown>();
    const compiler = new Compiler(
      model,
      metadata,
      operation,
      conditions,
      ofOneTenant,
      isExecuted,
      this.access,
      (coordinate, requires, denied) => denials.push({ coordinate, requires, nodes: denied }),
      incarnation,
    );
    return finishPlan(compiler, nodes, compile(compiler), conditions, denials, kysely);
  }
}
