import { type FieldNode, getArgumentValues } from 'graphql';
import { type Kysely, sql } from 'kysely';
import type { Viewer } from '../auth/viewer.js';
import { MAXIMUM_ANSWER_BYTES, type Statement, TOO_LARGE } from '../database/statement.js';
import type { CompileScope } from './compile-scope.js';
import type { CursorCodec } from './model.js';
import type { FieldArguments } from './operation.js';
import { type Bindings, type Guard, Param } from './param.js';
import type { Sql } from './row.js';

/** A field that the plan leaves out because the roles may not read it. */
export interface Denial {
  coordinate: string;
  nodes: readonly FieldNode[];
}

/** A compiled read: one statement that answers JSON text, and how to come by its parameters at each run. */
export interface Plan extends Statement {
  /** Its JSON as text, to stand in a statement beside others. */
  expression: Sql;
  /** What is evaluated at each run even where the statement does not need it: it may refuse. */
  validations: readonly Param<unknown>[];
  fieldArguments: readonly FieldArguments[];
  /** The fields of the document that it was compiled for: those of one response key. */
  nodes: readonly FieldNode[];
  guards: readonly Guard[];
  /** Variables that `@skip` and `@include` asked for, as they were. */
  conditions: ReadonlyMap<string, unknown>;
  denials: readonly Denial[];
  /** Codecs whose placeholders the answer holds. */
  cursorCodecs: readonly CursorCodec[];
  /** Whether it reads single rows by their keys, and so costs next to nothing. */
  readsOneRow: boolean;
}

/** Plans of one field and set of roles are few: one per shape of its arguments. */
const MAXIMUM_SHAPES = 20;
let serial = 0;

/** What a plan is made of. */
export interface FinishedCompilation {
  scope: CompileScope;
  nodes: readonly FieldNode[];
  expression: Sql;
  conditions: ReadonlyMap<string, unknown>;
  denials: readonly Denial[];
}

/** What is left of a compilation once its SQL is text. */
export function finishPlan(compilation: FinishedCompilation, kysely: Kysely<unknown>): Plan {
  const { scope, nodes, expression, conditions, denials } = compilation;
  return {
    ...statementOf(expression, kysely),
    expression,
    validations: scope.validations,
    fieldArguments: scope.fieldArguments,
    nodes,
    guards: scope.guards,
    conditions,
    denials,
    cursorCodecs: [...scope.usedCodecs],
    readsOneRow: !scope.readsMany,
  };
}

/** The JSON text that a plan answered, with cursors in the places of their placeholders. */
export function withCursors(text: string, { cursorCodecs }: Plan): string {
  return cursorCodecs.reduce((filled, codec) => codec.fill(filled), text);
}

function statementOf(expression: Sql, kysely: Kysely<unknown>): Statement {
  // `offset 0` keeps the inner query whole: else the expression would be evaluated for each time it is named.
  const { sql: text, parameters } = sql`select case when octet_length("json") > ${sql.lit(MAXIMUM_ANSWER_BYTES)}
    then ${sql.lit(TOO_LARGE)} else "json" end as "json" from (select (${expression})::text as "json" offset 0) as "answer"`.compile(
    kysely,
  );
  serial += 1;
  return { text, parameters, runs: 0, name: `csp_graph_${serial}` };
}

/** Between the answers of several plans: JSON as PostgreSQL writes it holds no control character. */
export const RECORD_SEPARATOR = '\x1e';

/** One statement that answers what several plans do, in their order: at one moment, and in one round trip. */
export function joinPlans(plans: readonly Plan[], kysely: Kysely<unknown>): Statement {
  const texts = plans.map(({ expression }) => sql`coalesce((${expression})::text, 'null')`);
  return statementOf(sql`concat_ws(chr(30), ${sql.join(texts)})`, kysely);
}

/** Bindings with the arguments as the variables have them now, coerced by the schema, each at most once. */
export function bind(
  fieldArguments: readonly FieldArguments[],
  variableValues: Record<string, unknown>,
  viewer: Viewer,
  ids?: readonly string[],
): Bindings {
  const values: Record<string, unknown>[] = [];
  return {
    viewer,
    ids,
    argsOf(index) {
      const known = values[index];
      if (known) return known;
      const { field, node } = fieldArguments[index] as FieldArguments;
      const coerced = getArgumentValues(field, node, variableValues);
      values[index] = coerced;
      return coerced;
    },
  };
}

/** The parameters of a plan. @throws BAD_USER_INPUT where an argument does not hold */
export function parametersOf(plan: Plan, bindings: Bindings): unknown[] {
  for (const validation of plan.validations) validation.evaluate(bindings);
  return plan.parameters.map((parameter) =>
    parameter instanceof Param ? (parameter.evaluate(bindings) ?? null) : parameter,
  );
}

/**
 * Plans by field of a document, then by what else decides them: roles, and whether rows of one tenant only are read.
 * They live as long as the document does, which Apollo's document store bounds.
 */
export class PlanCache {
  private readonly byField = new WeakMap<object, Map<string, Plan[]>>();
  hits = 0;
  misses = 0;

  /** The plan that fits, or a new one. */
  get(
    nodes: readonly FieldNode[],
    key: string,
    variables: Record<string, unknown>,
    bindTo: (plan: Plan) => Bindings,
    compile: () => Plan,
  ): { plan: Plan; bindings: Bindings } {
    const field = nodes[0] as FieldNode;
    let byKey = this.byField.get(field);
    if (!byKey) {
      byKey = new Map();
      this.byField.set(field, byKey);
    }
    const plans = byKey.get(key) ?? [];
    for (const plan of plans) {
      if (plan.nodes.length !== nodes.length || !plan.nodes.every((node, index) => node === nodes[index])) continue;
      if (![...plan.conditions].every(([name, value]) => variables[name] === value)) continue;
      const bindings = bindTo(plan);
      if (plan.guards.every((holds) => holds(bindings))) {
        this.hits += 1;
        return { plan, bindings };
      }
    }
    this.misses += 1;
    const plan = compile();
    byKey.set(key, [plan, ...plans].slice(0, MAXIMUM_SHAPES));
    return { plan, bindings: bindTo(plan) };
  }
}
