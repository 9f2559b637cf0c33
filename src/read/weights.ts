/** About how many rows the table of a GraphQL type has now. */
export type Rows = (type: string) => number;

/** What a filter does to the price of counting a list. */
export interface FilterWeight {
  /** How much dearer it makes each row that is looked at, such as by a subquery. */
  times?: number;
  /** Whether it leaves the rows of one customer, which an index finds. */
  isOneCustomers?: boolean;
  /** Whether no index serves it, so that a page may walk the whole list. */
  isWalked?: boolean;
  /**
   * Part of all rows that its index may lead to, at most, where it is a common value. A page by several filters is looked
   * for among the rows of the narrowest: where the others leave none of them, all are read.
   */
  share?: number;
  /** Part of all rows that a page may read where it is the only one, as no index has its rows in the order of the list. */
  alone?: number;
  /** Points that it costs each list by itself, such as looking where a span of time begins and ends. */
  looks?: number;
}

/** How many times the average a large customer has of everything. */
export const LARGE_CUSTOMER = 20;

/** Which part of the rows a customer has who has so many times the average. */
export function customersShare(rows: Rows, timesAverage: number): number {
  return Math.min(1, timesAverage / Math.max(1, rows('Customer')));
}
