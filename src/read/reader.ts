import type { MetadataStorage } from '@mikro-orm/core';
import DataLoader from 'dataloader';
import type { FieldNode, GraphQLResolveInfo } from 'graphql';
import type { Kysely } from 'kysely';
import type { Access } from '../auth/access-table.js';
import type { Denials } from '../auth/denials.js';
import { tenantScope, type Viewer } from '../auth/viewer.js';
import type { Execute } from '../database/execute.js';
import type { Statement } from '../database/statement.js';
import type { AbortFlag } from '../lib/abort-flag.js';
import type { Lru } from '../lib/lru.js';
import { Compiler } from './compile.js';
import { compileByIds, compileRoot } from './compile-root.js';
import { CompileScope } from './compile-scope.js';
import type { CursorCodec, RootReads } from './model.js';
import type { Operation, ReadModel } from './operation.js';
import {
  bind,
  type Denial,
  finishPlan,
  joinPlans,
  type Plan,
  type PlanCache,
  parametersOf,
  RECORD_SEPARATOR,
  withCursors,
} from './plan.js';
import type { PointReadBatcher } from './point-read-batcher.js';
import type { Sql } from './row.js';

/** What every reader of the process shares. */
export interface ReadSource {
  kysely: Kysely<unknown>;
  model: ReadModel;
  roots: RootReads;
  metadata: MetadataStorage;
  /** Codecs of cursors by the names that listings give them. */
  cursorCodecs: ReadonlyMap<string, CursorCodec>;
  plans: PlanCache;
  /** Statements of several plans together, by the plans' names. */
  joined: Lru<string, Statement>;
  execute: Execute;
  /** Runs what reads single rows. */
  pointReads: PointReadBatcher;
}

/** A plan with the values of this time: ready to run. */
export interface BoundPlan {
  plan: Plan;
  parameters: unknown[];
  /** Set when whoever waits for it has gone. */
  abort: AbortFlag | undefined;
}

/** A tree of JSON values under response keys. */
export type Tree = Record<string, unknown>;

/** A field whose plan is wanted. */
interface PlanRequest {
  operation: Operation;
  nodes: readonly FieldNode[];
  /** What is read of the field, for the cache of plans. */
  kind: string;
  /** Whether graphql-js goes on with the answer. */
  isExecuted: boolean;
  compile: (compiler: Compiler) => Sql;
  /** Ids of rows to load. */
  ids?: readonly string[];
}

/** Loads rows of a type for one field. */
interface Loader {
  typeName: string;
  nodes: readonly FieldNode[];
  rows: DataLoader<string, Tree | null>;
}

const isSame = (some: readonly FieldNode[], others: readonly FieldNode[]) =>
  some.length === others.length && some.every((node, index) => node === others[index]);

/** Whose reads they are. */
export interface ReaderOptions {
  source: ReadSource;
  viewer: Viewer;
  access: Access;
  /** Hears of each field that the viewer may not read. */
  denials: Denials;
  /** Set when whoever waits for the answers has gone: reads of queries end then, those of mutations go on. */
  abort?: AbortFlag | undefined;
}

/**
 * Reads for one request, operation or event: what a field selects is one statement, compiled once per document, roles
 * and shape of the arguments. Rows that the viewer may not see are absent; fields are null and noted in `denials`.
 */
export class Reader {
  /** Statements run so far. */
  statements = 0;
  /** Reads executed root fields together; made when one comes, as most requests have none. */
  private executedRoots: DataLoader<BoundPlan, string> | undefined;
  /** Loaders by the first field of the document that asks; each execution of a document has an array of its own for the same. */
  private readonly loaders = new Map<FieldNode, Loader[]>();

  private readonly source: ReadSource;
  private readonly viewer: Viewer;
  private readonly access: Access;
  private readonly denials: Denials;
  private readonly abort: AbortFlag | undefined;

  constructor({ source, viewer, access, denials, abort }: ReaderOptions) {
    this.source = source;
    this.viewer = viewer;
    this.access = access;
    this.denials = denials;
    this.abort = abort;
  }

  /** Whether a root field is one of the read model's. */
  answers(rootField: string): boolean {
    return Object.hasOwn(this.source.roots, rootField);
  }

  /** The plan of a root field, bound. @throws BAD_USER_INPUT for arguments that do not hold */
  bindRoot(operation: Operation, nodes: readonly FieldNode[]): BoundPlan {
    return this.bind({
      operation,
      nodes,
      kind: 'root',
      isExecuted: false,
      compile: (compiler) => compileRoot(compiler, this.source.roots, nodes),
    });
  }

  /**
   * What root fields answer, as the JSON texts of PostgreSQL: one statement reads all of them, and so none shows a
   * moment other than the rest.
   */
  async rootTexts(reads: readonly BoundPlan[]): Promise<string[]> {
    const [first, ...others] = reads;
    if (!first) return [];
    if (others.length === 0) return [await this.run(first)];
    const { joined, kysely, execute } = this.source;
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
      first.abort,
    );
    return text.split(RECORD_SEPARATOR).map((json, index) => withCursors(json, plans[index] as Plan));
  }

  /** What a root field answers, as a tree. All root fields of the operation are read together, as by `rootTexts`. */
  async root(info: GraphQLResolveInfo): Promise<Tree | (Tree | null)[] | null> {
    const bound = this.bind({
      operation: info,
      nodes: info.fieldNodes,
      kind: 'executed root',
      isExecuted: true,
      compile: (compiler) => compileRoot(compiler, this.source.roots, info.fieldNodes),
    });
    this.executedRoots ??= new DataLoader((reads) => this.rootTexts(reads), { cache: false });
    return JSON.parse(await this.executedRoots.load(bound));
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
    const bound = this.bind({
      operation: info,
      nodes: info.fieldNodes,
      kind: typeName,
      isExecuted: true,
      compile: (compiler) => compileByIds(compiler, typeName, info.fieldNodes),
      ids,
    });
    const found: { id: string; json: Tree }[] = JSON.parse(await this.run(bound));
    const byId = new Map(found.map(({ id, json }) => [id, json]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  private async run({ plan, parameters, abort }: BoundPlan): Promise<string> {
    this.statements += 1;
    const { execute, pointReads } = this.source;
    const reading = plan.readsOneRow ? pointReads.read(plan, parameters, abort) : execute(plan, parameters, abort);
    return withCursors((await reading) ?? 'null', plan);
  }

  /** The plan of a field, which is compiled where none fits, and its parameters. */
  private bind(request: PlanRequest): BoundPlan {
    const { operation, nodes, kind, ids } = request;
    const { plan, bindings } = this.source.plans.get(
      nodes,
      `${kind}|${this.access.key}`,
      operation.variableValues,
      (candidate) => bind(candidate.fieldArguments, operation.variableValues, this.viewer, ids),
      () => this.compile(request),
    );
    for (const { coordinate, nodes: denied } of plan.denials) this.denials.add(coordinate, denied);
    // What a mutation reads for its answer is not ended: it is done, and others may ask for the answer again.
    const isMutation = operation.operation?.operation === 'mutation';
    return { plan, parameters: parametersOf(plan, bindings), abort: isMutation ? undefined : this.abort };
  }

  private compile({ operation, nodes, isExecuted, compile }: PlanRequest): Plan {
    const { model, metadata, cursorCodecs, kysely } = this.source;
    const denials: Denial[] = [];
    const conditions = new Map<string, unknown>();
    const scope = new CompileScope({
      model,
      metadata,
      operation,
      conditions,
      ofOneTenant: tenantScope(this.viewer) !== null,
      access: this.access,
      onDenied: (coordinate, denied) => denials.push({ coordinate, nodes: denied }),
      cursorCodecs,
    });
    const expression = compile(new Compiler(scope, isExecuted));
    return finishPlan({ scope, nodes, expression, conditions, denials }, kysely);
  }
}
