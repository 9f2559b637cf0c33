import { badUserInput } from './errors.js';

/** Items of a page where the caller does not say. */
export const DEFAULT_PAGE_SIZE = 20;
/** Most items of a page; more is refused, because a silent cut looks like the end of the data. */
export const MAXIMUM_PAGE_SIZE = 100;

/** The Relay arguments of a list. */
export interface PageArgs {
  first?: number | null;
  after?: string | null;
  last?: number | null;
  before?: string | null;
}

/** A page as asked for: how many, and from which end. */
export interface Page {
  size: number;
  backward: boolean;
}

/** @throws BAD_USER_INPUT naming the argument */
export function pageOf(args: PageArgs): Page {
  const { first, last } = args;
  if (first != null && last != null) throw badUserInput('first', 'use either first or last, not both');
  for (const [name, value] of [
    ['first', first],
    ['last', last],
  ] as const) {
    if (value != null && (value < 1 || value > MAXIMUM_PAGE_SIZE)) {
      throw badUserInput(
        name,
        `must be from 1 to ${MAXIMUM_PAGE_SIZE}; read on with ${name === 'first' ? 'after' : 'before'}`,
      );
    }
  }
  return { size: first ?? last ?? DEFAULT_PAGE_SIZE, backward: last != null };
}
