import type { DocumentNode, GraphQLError, OperationDefinitionNode } from 'graphql';
import type { Context } from '../context/context.js';
import type { Cost } from '../cost/cost-control.js';
import { points } from '../cost/points.js';

/** Header by which a caller asks what an operation costs, `1`; over WebSocket it stands in the payload of `connection_init`. */
export const COST_HEADER = 'x-csp-cost';

/** Whether a caller wants to be told: by the header, or by the operation's own `extensions: { cost: true }`. */
export function tellsCost(header: unknown, extensions?: unknown): boolean {
  return header === '1' || (extensions as { cost?: unknown } | null | undefined)?.cost === true;
}

/**
 * Judges what an operation costs and spends it, before anything of it runs. What it costs is in the context from then on.
 * @returns why it may not run: LIMIT_EXCEEDED or RATE_LIMITED
 */
export function admitOperation(
  context: Context,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown> | null | undefined,
): GraphQLError | null {
  const { cost, refusal } = context.services.costs.admit(context, document, operation, variables);
  context.cost = cost;
  context.read.cost = cost.asked;
  return refusal;
}

/** Before something dear runs: whether its user has spent the budget elsewhere. */
export function confirmOperation(context: Context): Promise<GraphQLError | null> | null {
  const { cost, services } = context;
  return cost && services.costs.isDear(context, cost) ? services.costs.confirm(context, cost) : null;
}

/** Charges a stream's user for entries: for making each, shared with all who get the same, and for every message. */
export function chargeFor(context: Context): (entries: number, sharedBy: number) => GraphQLError | null {
  const ofEntry = context.cost?.asked ?? points.operation;
  const { costs } = context.services;
  return (entries, sharedBy) => costs.deliver(context, entries * (ofEntry / sharedBy + points.message));
}

/** `extensions.cost` for a caller who asks; undefined for any other. */
export function costTold({ tellsCost: isAsked, cost }: Context): { cost: Cost } | undefined {
  return isAsked && cost ? { cost } : undefined;
}
