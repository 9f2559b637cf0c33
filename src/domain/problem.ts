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
