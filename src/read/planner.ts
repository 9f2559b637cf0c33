import { type FieldNode, GraphQLError } from 'graphql';
import type { Access } from '../auth/access-table.js';
import type { Denials } from '../auth/denials.js';
import { tenantScope, type Viewer } from '../auth/viewer.js';
import { maskError } from '../graphql/errors.js';
import { Compiler } from './compile.js';
import { CompileScope, type Judging } from './compile-scope.js';
import type { Operation } from './operation.js';
import type { Bindings } from './param.js';
import { bind, type Denial, finishPlan, type Plan, parametersOf } from './plan.js';
import type { ReadSource } from './read-source.js';
import type { Sql } from './row.js';

/** A field whose plan is wanted. */
export interface PlanRequest {
  operation: Operation;
  nodes: readonly FieldNode[];
  /** Where it stands in the answer. */
  path: readonly (string | number)[];
  /** What is read of the field, for the cache of plans. */
  kind: string;
  /** Whether graphql-js goes on with the answer. */
  isExecuted: boolean;
  compile: (compiler: Compiler) => Sql;
  /** Ids of rows to load. */
  ids?: readonly string[];
}

/** For whom plans are made. */
export interface PlannerOptions {
  source: ReadSource;
  viewer: Viewer;
  access: Access;
  denials: Denials;
}

/** Finds the plans of one viewer's fields, or makes them, and gives them their parameters. */
export class Planner {
  constructor(private readonly options: PlannerOptions) {}

  /**
   * The plan of a field, which is compiled where none fits, and its parameters.
   * @throws BAD_USER_INPUT where the field's own arguments do not hold
   */
  bind(request: PlanRequest): { plan: Plan; parameters: unknown[] } {
    const { plans } = this.options.source;
    const { operation, nodes, kind } = request;
    try {
      const { plan, bindings } = plans.get(
        nodes,
        `${kind}|${this.options.access.key}`,
        operation.variableValues,
        (candidate) => this.bindingsOf(request, candidate.fieldArguments),
        () => this.compile(request),
      );
      return this.bound(plan, bindings);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return this.bindAround(request);
    }
  }

  /**
   * Where an argument somewhere below is refused: a plan for this run alone, that has null for its field. Finding which
   * one is compiling again, so that requests that hold pay nothing for it.
   */
  private bindAround(request: PlanRequest): { plan: Plan; parameters: unknown[] } {
    const refusals: GraphQLError[] = [];
    const plan = this.compile(request, {
      bindingsOf: (fieldArguments) => this.bindingsOf(request, fieldArguments),
      path: [...request.path],
      onRefused: (error) => refusals.push(error),
    });
    const bound = this.bound(plan, this.bindingsOf(request, plan.fieldArguments));
    for (const error of refusals) this.options.denials.addRefused(maskError(error, () => undefined));
    return bound;
  }

  private bindingsOf({ operation, ids }: PlanRequest, fieldArguments: Plan['fieldArguments']): Bindings {
    return bind(fieldArguments, operation.variableValues, this.options.viewer, ids);
  }

  private bound(plan: Plan, bindings: Bindings): { plan: Plan; parameters: unknown[] } {
    const parameters = parametersOf(plan, bindings);
    for (const { coordinate, nodes } of plan.denials) this.options.denials.add(coordinate, nodes);
    return { plan, parameters };
  }

  private compile({ operation, nodes, isExecuted, compile }: PlanRequest, judging?: Judging): Plan {
    const { source, viewer, access } = this.options;
    const { model, metadata, cursorCodecs, kysely, areSelfLimiting } = source;
    const denials: Denial[] = [];
    const conditions = new Map<string, unknown>();
    const scope = new CompileScope({
      model,
      metadata,
      operation,
      conditions,
      ofOneTenant: tenantScope(viewer) !== null,
      access,
      onDenied: (coordinate, denied) => denials.push({ coordinate, nodes: denied }),
      cursorCodecs,
      isSelfLimiting: areSelfLimiting,
      judging,
    });
    const expression = compile(new Compiler(scope, isExecuted));
    return finishPlan({ scope, nodes, expression, conditions, denials }, kysely);
  }
}
