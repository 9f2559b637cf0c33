import { type FieldNode, getArgumentValues } from 'graphql';
import { type Kysely, sql } from 'kysely';
import type { Role } from '../auth/role.js';
import type { Viewer } from '../auth/viewer.js';
import { MAXIMUM_ANSWER_BYTES, type Statement, TOO_LARGE } from '../database/statement.js';
import type { Compiler, Site } from './compile.js';
import type { Sql } from './model.js';
import { type Assumption, Param, type Run } from './param.js';

/** A field that the plan leaves out because the roles may not read it. */
export interface Denial {
  coordinate: string;
  requires: readonly Role[];
  nodes: readonly FieldNode[];
}

/** A compiled read: one statement that answers JSON text, and how to come by its parameters at each run. */
export interface Plan extends Statement {
  /** Its JSON as text, to stand in a statement beside others. */
  expression: Sql;
  checks: readonly Param<unknown>[];
  sites: readonly Site[];
  /** The fields of the document that it was compiled for: those of one response key. */
  nodes: readonly FieldNode[];
  assumptions: readonly Assumption[];
  /** Variables that `@skip` and `@include` asked for, as they were. */
  conditions: ReadonlyMap<string, unknown>;
  denials: readonly Denial[];
  /** Whether the answer holds placeholders of the feed's cursors. */
  writesFeedCursors: boolean;
  /** Whether it reads single rows by their keys, and so costs next to nothing. */
  readsOneRow: boolean;
}

/** Plans of one field and set of roles are few: one per shape of its arguments. */
const MAXIMUM_SHAPES = 20;
let serial = 0;

/** What is left of a compilation once its SQL is text. */
export function finishPlan(
  compiler: Compiler,
  nodes: readonly FieldNode[],
  expression: Sql,
  conditions: Map<string, unknown>,
  denials: Denial[],
  kysely: Kysely<unknown>,
): Plan {
  return {
    ...statementOf(expression, kysely),
    expression,
    checks: compiler.checks,
    sites: compiler.sites,
    nodes,
    assumptions: compiler.assumptions,
    conditions,
    denials,
    writesFeedCursors: compiler.writesFeedCursors,
    readsOneRow: !compiler.readsMany,
  };
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

/** A run with the arguments as the variables have them now, coerced by the schema, each at most once. */
export function runOf(
  sites: readonly Site[],
  variableValues: Record<string, unknown>,
  viewer: Viewer,
  ids?: readonly string[],
): Run {
  const values: Record<string, unknown>[] = [];
  return {
    viewer,
    ids,
    argsOf(site) {
      const known = values[site];
      if (known) return known;
      const { field, node } = sites[site] as Site;
      const coerced = getArgumentValues(field, node, variableValues);
      values[site] = coerced;
      return coerced;
    },
  };
}

/** The parameters of a run. @throws BAD_USER_INPUT where an argument does not hold */
export function parametersOf(plan: Plan, run: Run): unknown[] {
  for (const check of plan.checks) check.evaluate(run);
  return plan.parameters.map((parameter) =>
    parameter instanceof Param ? (parameter.evaluate(run) ?? null) : parameter,
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
    run: (plan: Plan) => Run,
    compile: () => Plan,
  ): { plan: Plan; run: Run } {
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
      const candidate = run(plan);
      if (plan.assumptions.every((holds) => holds(candidate))) {
        this.hits += 1;
        return { plan, run: candidate };
      }
    }
    this.misses += 1;
    const plan = compile();
    byKey.set(key, [plan, ...plans].slice(0, MAXIMUM_SHAPES));
    return { plan, run: run(plan) };
  }
}
