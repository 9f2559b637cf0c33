/**
 * A refusal that the caller can act on. It is returned, never thrown; its GraphQL face is given
 * in the module's `*.type.ts`. The class name is the GraphQL type's name.
 */
export abstract class Problem {
  /** Stable, UPPER_SNAKE: for machines. */
  abstract readonly code: string;
  /** One sentence that names what to do: for people. */
  abstract readonly message: string;
}

/** Whether a use case refused. */
export function isProblem(result: unknown): result is Problem {
  return result instanceof Problem;
}

/** The code of a problem by the name of its class, so that nobody has to look it up: `QuoteExpired`, `QUOTE_EXPIRED`. */
export const problemCodeOf = (name: string): string => name.replace(/(?<!^)([A-Z])/g, '_$1').toUpperCase();
