import type { MetadataStorage } from '@mikro-orm/core';
import DataLoader from 'dataloader';
import { type FieldNode, type GraphQLField, type GraphQLResolveInfo, getNamedType } from 'graphql';
import { type Kysely, sql } from 'kysely';
import type { FeedCursors } from '../activity-log/feed-cursors.js';
import type { Access } from '../auth/auth.js';
import type { Denials } from '../auth/denials.js';
import { tenantScope, type Viewer } from '../auth/viewer.js';
import type { Execute } from '../database/execute.js';
import type { Statement } from '../database/statement.js';
import type { Departure } from '../lib/abort-flag.js';
import type { Lru } from '../lib/lru.js';
import { Compiler, columnsOf, jsonOf, type Operation, type ReadModel, whereAll } from './compile.js';
import { compileConnection } from './compile-connection.js';
import { compileNode, compileNodes } from './compile-nodes.js';
import type { RootReads, Sql } from './model.js';
import { Param } from './param.js';
import {
  type Denial,
  finishPlan,
  joinPlans,
  type Plan,
  type PlanCache,
  parametersOf,
  RECORD_SEPARATOR,
  runOf,
} from './plan.js';
import type { Together } from './point-read-batcher.js';

/** What every reader of the process shares. */
export interface ReadSource {
  kysely: Kysely<unknown>;
  model: ReadModel;
  roots: RootReads;
  metadata: MetadataStorage;
  feedCursors: FeedCursors;
  plans: PlanCache;
  /** Statements of several plans together, by the plans' names. */
  joined: Lru<string, Statement>;
  execute: Execute;
  /** Runs what reads single rows. */
  together: Together;
}

/** A read that is ready to run. */
export interface Prepared {
  plan: Plan;
  parameters: unknown[];
  /** Of whoever waits for it. */
  departure: Departure | undefined;
}

/** A tree of JSON values under response keys. */
export type Tree = Record<string, unknown>;

/** Loads rows of a type for one field. */
interface Loader {
  typeName: string;
  nodes: readonly FieldNode[];
  rows: DataLoader<string, Tree | null>;
}

const isSame = (some: readonly FieldNode[], others: readonly FieldNode[]) =>
  some.length === others.length && some.every((node, index) => node === others[index]);

const loadedIds = new Param((run) => run.ids);

/**
 * Reads for one request, operation or event: what a field selects is one statement, compiled once per document, roles
 * and shape of the arguments. Rows that the viewer may not see are absent; fields are null and noted in `denials`.
 */
export class Reader {
  /** Statements run so far. */
  statements = 0;
  /** Of executed root fields; made when one comes, as most requests have none. */
  private executedRoots: DataLoader<Prepared, string> | undefined;
  /** By the first field of the document that asks; each execution of a document has an array of its own for the same. */
  private readonly loaders = new Map<FieldNode, Loader[]>();

  constructor(
    private readonly source: ReadSource,
    private readonly viewer: Viewer,
    private readonly access: Access,
    private readonly denials: Denials,
    /** Of whoever waits for the answers: reads of queries end then, those of mutations go on. */
    private readonly departure?: Departure,
  ) {}

  /** Whether a root field is one of the read model's. */
  answers(rootField: string): boolean {
    return Object.hasOwn(this.source.roots, rootField);
  }

  /** Makes the read of a root field ready. @throws BAD_USER_INPUT for arguments that do not hold */
  prepareRoot(operation: Operation, nodes: readonly FieldNode[]): Prepared {
    return this.prepare(operation, nodes, 'root', false, (compiler) => this.compileRoot(compiler, nodes));
  }

  /**
   * What root fields answer, as the JSON texts of PostgreSQL: one statement reads all of them, and so none shows a
   * moment other than the rest.
   */
  async rootTexts(reads: readonly Prepared[]): Promise<string[]> {
    const [first, ...others] = reads;
    if (!first) return [];
    if (others.length === 0) return [await this.run(first)];
    const { joined, kysely, execute, feedCursors } = this.source;
    const plans = reads.map(({ plan }) => plan);
    const key = plans.map(({ name }) => name).join();
    let statement = joined.get(key);
    if (!statement) {
      statement = joinPlans(plans, kysely);
      joined.set(key, statement);
    }
    this.statements += 1;
    const text = await execute(
      statement,
      reads.flatMap(({ parameters }) => parameters),
      first.departure,
    );
    return text
      .split(RECORD_SEPARATOR)
      .map((json, index) => (plans[index]?.writesFeedCursors ? feedCursors.sealText(json) : json));
  }

  /** What a root field answers, as a tree. All root fields of the operation are read together, as by `rootTexts`. */
  async root(info: GraphQLResolveInfo): Promise<Tree | (Tree | null)[] | null> {
    const compile = (compiler: Compiler) => this.compileRoot(compiler, info.fieldNodes);
    const prepared = this.prepare(info, info.fieldNodes, 'executed root', true, compile);
    this.executedRoots ??= new DataLoader((reads) => this.rootTexts(reads), { cache: false });
    return JSON.parse(await this.executedRoots.load(prepared));
  }

  /** The row of `type` with that id, or null; loads of one field are batched into one statement. */
  load(typeName: string, id: string, info: GraphQLResolveInfo): Promise<Tree | null> {
    const { fieldNodes } = info;
    const first = fieldNodes[0] as FieldNode;
    const loaders = this.loaders.get(first) ?? [];
    let loader = loaders.find((one) => one.typeName === typeName && isSame(one.nodes, fieldNodes));
    if (!loader) {
      const rows = new DataLoader((ids: readonly string[]) => this.byIds(typeName, ids, info));
      loader = { typeName, nodes: fieldNodes, rows };
      this.loaders.set(first, [...loaders, loader]);
    }
    return loader.rows.load(id);
  }

  private async byIds(typeName: string, ids: readonly string[], info: GraphQLResolveInfo): Promise<(Tree | null)[]> {
    const compile = (compiler: Compiler) => {
      if (!compiler.mayReach(typeName, info.fieldNodes)) return sql`'[]'::json`;
      compiler.readsMany = true;
      const type = compiler.typeOf(typeName);
      const row = compiler.row(type);
      const json = jsonOf(compiler.select(typeName, type.fields, row, info.fieldNodes, false));
      const wanted = sql`${row.col('id')} = any(${loadedIds}::uuid[])`;
      return sql`select coalesce(json_agg(json_build_object('id', ${row.col('id')}, 'json', ${json})), '[]') from ${compiler.from(type, row)}${whereAll([wanted, ...compiler.visible(type, row)])}`;
    };
    const found: { id: string; json: Tree }[] = JSON.parse(
      await this.run(this.prepare(info, info.fieldNodes, typeName, true, compile, ids)),
    );
    const byId = new Map(found.map(({ id, json }) => [id, json]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  private compileRoot(compiler: Compiler, nodes: readonly FieldNode[]): Sql {
    const name = (nodes[0] as FieldNode).name.value;
    const root = this.source.roots[name];
    if (!root) throw new Error(`The read model does not know Query.${name}`);
    if (root.kind === 'node') return compileNode(compiler, compiler.argsOf('Query', nodes), nodes);
    if (root.kind === 'nodes') return compileNodes(compiler, compiler.argsOf('Query', nodes), nodes);
    if (!compiler.mayReach(root.type, nodes)) return sql`select null`;
    const type = compiler.typeOf(root.type);
    const args = compiler.argsOf('Query', nodes);
    if (root.kind === 'connection') {
      const field = compiler.operation.schema.getQueryType()?.getFields()[name] as GraphQLField<unknown, unknown>;
      return compileConnection(compiler, type, args, nodes, getNamedType(field.type).name, () => []);
    }
    if (root.kind === 'grouped') {
      compiler.readsMany = true;
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

  private async run({ plan, parameters, departure }: Prepared): Promise<string> {
    this.statements += 1;
    const { execute, together } = this.source;
    const reading = plan.readsOneRow
      ? together.read(plan, parameters, departure)
      : execute(plan, parameters, departure);
    const text = (await reading) ?? 'null';
    return plan.writesFeedCursors ? this.source.feedCursors.sealText(text) : text;
  }

  /** The plan of a field, which is compiled where none fits, and its parameters. */
  private prepare(
    operation: Operation,
    nodes: readonly FieldNode[],
    kind: string,
    isExecuted: boolean,
    compile: (compiler: Compiler) => Sql,
    ids?: readonly string[],
  ): Prepared {
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
    // What a mutation reads for its answer is not ended: the deed is done, and others may ask for the answer again.
    const isDeed = operation.operation?.operation === 'mutation';
    return { plan, parameters: parametersOf(plan, run), departure: isDeed ? undefined : this.departure };
  }

  private compilePlan(
    operation: Operation,
    nodes: readonly FieldNode[],
    ofOneTenant: boolean,
    isExecuted: boolean,
    compile: (compiler: Compiler) => Sql,
  ): Plan {
    const { model, metadata, feedCursors, kysely } = this.source;
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
      feedCursors,
    );
    return finishPlan(compiler, nodes, compile(compiler), conditions, denials, kysely);
  }
}
