import { Extensions } from 'type-graphql';

/** What a field costs, in points (`cost/points.ts`): always the same, or by its arguments as they were given. */
export type FieldCost = number | ((values: Record<string, unknown>) => number);

/** What a field says of its cost, in its `extensions`. */
export interface FieldCosts {
  cost?: FieldCost;
  /** How many items its list has at most. */
  most?: number;
}

/** Says what a field costs that a resolver answers; what the read model reads is weighed there. */
export const Costs = (cost: FieldCost) => Extensions({ cost } satisfies FieldCosts);

/** Says how many items a list that is no page may have, where its callers can fill it: more than the handful it mostly has. */
export const AtMost = (most: number) => Extensions({ most } satisfies FieldCosts);
