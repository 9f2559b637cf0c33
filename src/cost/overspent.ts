import type { GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Spent } from './budgets.js';

/** What an operation costs, as `extensions.cost` tells it. */
export interface Cost {
  /** Points of the operation; of a subscription, of each entry. */
  asked: number;
  /** Points that one operation of the viewer may cost. */
  allowed: number;
  /** Points that are left to the viewer in the minute that runs. */
  left: number;
}

/** Refuses an operation that costs more than one may. */
export function beyondBound(cost: Cost): GraphQLError {
  return codedError(
    ErrorCode.LIMIT_EXCEEDED,
    `The operation costs ${cost.asked} points, and one operation of yours may cost ${cost.allowed}. Ask for less: smaller pages, fewer totalCount, a narrower filter or period.`,
    { extensions: { limit: 'cost', cost } },
  );
}

/** Refuses what costs more than is left. @param advice what else to say */
export function overBudget(
  { retryAfter }: Extract<Spent, { retryAfter: number }>,
  cost: Cost,
  advice = '',
): GraphQLError {
  return codedError(
    ErrorCode.RATE_LIMITED,
    `You have spent the points that you have for a minute; ${cost.left} are left, and this costs ${cost.asked}. Try again in ${retryAfter} s. ${advice}`.trim(),
    { extensions: { limit: 'costBudget', retryAfter, cost } },
  );
}
