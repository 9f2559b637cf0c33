import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  type OperationDefinitionNode,
} from 'graphql';
import type { Viewer } from '../auth/viewer.js';
import type { Context, Services } from '../context/context.js';
import { accountOf } from '../cost/cost-control.js';
import type { Cost } from '../cost/overspent.js';
import { points } from '../cost/points.js';
import type { Charge } from '../feed/delivery/charge.js';

/** Header by which a caller asks what an operation costs, `1`; over WebSocket it stands in the payload of `connection_init`. */
export const COST_HEADER = 'x-csp-cost';

/** Whether a caller wants to be told: by the header, or by the operation's own `extensions: { cost: true }`. */
export function tellsCost(header: unknown, extensions?: unknown): boolean {
  return header === '1' || (extensions as { cost?: unknown } | null | undefined)?.cost === true;
}

/**
 * Lets a caller who was refused for cost again and again wait, before anything is made of what it asks.
 * @returns null where it need not
 */
export function paceRefused(
  { costs, addressOf }: Services,
  viewer: Viewer,
  request: Parameters<Services['addressOf']>[0],
): Promise<unknown> | null {
  return costs.pace.wait(accountOf(viewer, () => addressOf(request)));
}

/**
 * Judges what an operation costs and spends it, before anything of it runs. What it costs is in the context from then on,
 * and grows where its answer is larger than it was judged.
 * @param isRunnable whether its variables fit
 * @returns why it may not run: LIMIT_EXCEEDED or RATE_LIMITED
 */
export function admitOperation(
  context: Context,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown> | null | undefined,
  isRunnable = true,
): GraphQLError | null {
  const { cost, refusal } = context.services.costs.admit(context, document, operation, variables, isRunnable);
  context.cost = cost;
  context.read.cost = cost.asked;
  let bytes = 0;
  context.read.onRead = (more) => {
    bytes += more;
    context.services.costs.answered(context, cost, bytes);
  };
  return refusal;
}

/** Whether the variables of an operation fit: where they do not, it is told what is wrong with them, and not run. */
export function variablesFit(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Record<string, unknown> | null | undefined,
): boolean {
  if (variableDefinitions.length === 0) return true;
  return getVariableValues(schema, variableDefinitions, variables ?? {}, { maxErrors: 1 }).errors === undefined;
}

/** Gives back what an operation costs beyond the least where every field at its root was refused: nothing was done. */
export function refundRefused(context: Context, data: object | null | undefined): void {
  const { cost, denials, services } = context;
  if (!cost || !data || Object.values(data).some((value) => value !== null)) return;
  const refused = denials.errors.filter(({ path }) => path?.length === 1);
  if (refused.length < Object.keys(data).length) return;
  services.costs.refund(context, cost.asked - points.operation);
  cost.left = services.costs.left(context);
}

/** Before an operation runs whose user has spent much here lately: whether the budget is spent elsewhere. */
export function confirmOperation(context: Context): Promise<GraphQLError | null> | null {
  const { cost, services } = context;
  return cost && services.costs.mustConfirm(context) ? services.costs.confirm(context, cost) : null;
}

/**
 * Charges a stream's user for entries: for looking at them, for making each, shared with all who get the same, and for
 * every message.
 */
export function chargeFor(context: Context): Charge {
  const ofEntry = context.cost?.asked ?? points.operation;
  const { costs } = context.services;
  return {
    delivered: (entries, sharedBy) => costs.deliver(context, entries * (ofEntry / sharedBy + points.message)),
    read: (lookedAt, entries) =>
      lookedAt + entries === 0
        ? null
        : costs.deliver(context, lookedAt * points.lookedAtEntry + entries * points.replayedEntry),
  };
}

/** `extensions.cost` for a caller who asks; undefined for any other. */
export function costTold({ tellsCost: isAsked, cost }: Context): { cost: Cost } | undefined {
  return isAsked && cost ? { cost } : undefined;
}
