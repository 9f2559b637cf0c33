import type { Listing, ReadType } from '../read/model.js';
import { customersShare, LARGE_CUSTOMER, type Rows } from '../read/weights.js';
import { points } from './points.js';

/** What the cost of an operation depends on besides its document. */
export interface Inputs {
  variables: Record<string, unknown>;
  /** About how many rows each type has now. */
  rows: Rows;
  /** Whether the viewer reaches the rows of one tenant only. */
  ofOneTenant: boolean;
}

/**
 * What counting a list costs under its filters: an index leads to a few rows, or all are looked at.
 * @param ofCustomer of the list of a customer: how many times what the average one has; null at the root
 */
export function countOf(
  type: ReadType,
  { weights = {} }: Listing,
  given: readonly string[],
  { rows, ofOneTenant }: Inputs,
  ofCustomer: number | null,
): number {
  const all = rows(type.name);
  const isOneCustomers =
    (ofOneTenant && type.rows?.toCustomer !== undefined) || given.some((name) => weights[name]?.isOneCustomers);
  const share =
    ofCustomer !== null ? customersShare(rows, ofCustomer) : isOneCustomers ? customersShare(rows, LARGE_CUSTOMER) : 1;
  return points.one + perRow(points.counted, weights, given) * all * share;
}

/**
 * What looking for a page costs beyond reading it: all rows, by a filter without an index; of one whose index has them in
 * another order, those that it leads to; of several those of the narrowest one, as the others may throw them away. The
 * customer that a list belongs to counts as one.
 */
export function walkOf(
  type: ReadType,
  listing: Listing,
  given: readonly string[],
  inputs: Inputs,
  ofCustomer: number | null,
): number {
  const { weights = {} } = listing;
  const { rows, ofOneTenant } = inputs;
  const isNested = ofCustomer !== null;
  const sum = given.reduce((all, name) => all + (weights[name]?.looks ?? 0), 0);
  // The rows of one customer are few: there the span is looked for among them.
  const looking = isNested ? sum * points.nestedLooking : sum;
  if (given.some((name) => weights[name]?.isWalked)) return looking + countOf(type, listing, given, inputs, ofCustomer);
  const ofLarge = customersShare(rows, LARGE_CUSTOMER);
  const shares = given.flatMap((name) => {
    const { isOneCustomers, share } = weights[name] ?? {};
    return isOneCustomers ? [ofLarge] : share === undefined ? [] : [share];
  });
  if (isNested) shares.push(customersShare(rows, ofCustomer));
  else if (ofOneTenant && type.rows?.toCustomer !== undefined) shares.push(ofLarge);
  const alone = given.map((name) => weights[name]?.alone ?? 0);
  const read = shares.length < 2 ? Math.max(0, ...alone) : Math.min(...shares);
  return looking + perRow(points.walked, weights, given) * rows(type.name) * read;
}

/** Points of each row that is looked at under filters, some of which ask elsewhere for each. */
function perRow(ofRow: number, weights: NonNullable<Listing['weights']>, given: readonly string[]): number {
  return given.reduce((product, name) => product * (weights[name]?.times ?? 1), ofRow);
}
