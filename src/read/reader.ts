import DataLoader from 'dataloader';
import type { FieldNode, GraphQLError, GraphQLResolveInfo } from 'graphql';
import type { Access } from '../auth/access-table.js';
import type { Denials } from '../auth/denials.js';
import type { Viewer } from '../auth/viewer.js';
import type { Turn } from '../database/lanes.js';
import { MAXIMUM_ANSWER_BYTES } from '../database/statement.js';
import type { AbortFlag } from '../lib/abort-flag.js';
import { compileByIds, compileRoot } from './compile-root.js';
import type { Operation } from './operation.js';
import { joinPlans, type Plan, RECORD_SEPARATOR, withCursors } from './plan.js';
import { Planner, type PlanRequest } from './planner.js';
import type { ReadSource } from './read-source.js';

/** A plan with the values of this time: ready to run. */
export interface BoundPlan {
  plan: Plan;
  parameters: unknown[];
  /** Set when whoever waits for it has gone. */
  abort: AbortFlag | undefined;
}

/** A tree of JSON values under response keys. */
export type Tree = Record<string, unknown>;

/** Loads rows of a type for one field. */
interface Loader {
  typeName: string;
  nodes: readonly FieldNode[];
  rows: DataLoader<string, Tree | null>;
}

const responseKey = ([node]: readonly FieldNode[]) =>
  (node as FieldNode).alias?.value ?? (node as FieldNode).name.value;
const pathOf = (path: GraphQLResolveInfo['path'] | undefined): (string | number)[] =>
  path ? [...pathOf(path.prev), path.key] : [];
const isSame = (some: readonly FieldNode[], others: readonly FieldNode[]) =>
  some.length === others.length && some.every((node, index) => node === others[index]);

/** Whose reads they are. */
export interface ReaderOptions {
  source: ReadSource;
  viewer: Viewer;
  /** Whose turn the reads take (`database/lanes.ts`). */
  user: string;
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
  /** What the operation costs, once it is judged: what is dear waits apart from what is cheap. */
  cost = 0;
  /** Hears how many bytes each statement has answered, where that is to be paid for. */
  onRead: ((bytes: number) => void) | undefined;
  /** Reads executed root fields together; made when one comes, as most requests have none. */
  private executedRoots: DataLoader<BoundPlan, string> | undefined;
  /** Loaders by the first field of the document that asks; each execution of a document has an array of its own for the same. */
  private readonly loaders = new Map<FieldNode, Loader[]>();

  private readonly source: ReadSource;
  private readonly planner: Planner;
  private readonly user: string;
  private readonly abort: AbortFlag | undefined;

  constructor({ source, viewer, user, access, denials, abort }: ReaderOptions) {
    this.source = source;
    this.planner = new Planner({ source, viewer, access, denials });
    this.user = user;
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
      path: [responseKey(nodes)],
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
    const text = await this.told(
      execute(
        statement,
        reads.flatMap(({ parameters }) => parameters),
        this.turn(first.abort),
      ),
    );
    return text.split(RECORD_SEPARATOR).map((json, index) => withCursors(json, plans[index] as Plan));
  }

  /** What a root field answers, as a tree. All root fields of the operation are read together, as by `rootTexts`. */
  async root(info: GraphQLResolveInfo): Promise<Tree | (Tree | null)[] | null> {
    const bound = this.bind({
      operation: info,
      nodes: info.fieldNodes,
      path: [info.path.key],
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
      path: pathOf(info.path),
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
    const turn = this.turn(abort);
    const reading = plan.readsOneRow ? pointReads.read(plan, parameters, turn) : execute(plan, parameters, turn);
    return withCursors((await (this.onRead ? this.told(reading) : reading)) ?? 'null', plan);
  }

  /** The text of a statement; tells its size, and that of one that is larger than an answer may be. */
  private async told<Text extends string | null | undefined>(reading: Promise<Text>): Promise<Text> {
    try {
      const text = await reading;
      this.onRead?.(text?.length ?? 0);
      return text;
    } catch (error) {
      if ((error as Partial<GraphQLError>).extensions?.['limit'] === 'answerBytes') this.onRead?.(MAXIMUM_ANSWER_BYTES);
      throw error;
    }
  }

  private turn(abort: AbortFlag | undefined): Turn {
    return { users: [this.user], cost: this.cost, abort };
  }

  private bind(request: PlanRequest): BoundPlan {
    // What a mutation reads for its answer is not ended: it is done, and others may ask for the answer again.
    const isMutation = request.operation.operation?.operation === 'mutation';
    return { ...this.planner.bind(request), abort: isMutation ? undefined : this.abort };
  }
}
