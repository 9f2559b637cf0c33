/** A statement that answers one row with one JSON text, as it is sent to PostgreSQL. */
export interface Statement {
  text: string;
  /** Values, and what is evaluated to a value at each run. */
  parameters: readonly unknown[];
  /** Runs so far: a statement that is used again is prepared. */
  runs: number;
  /** Name of the prepared statement. */
  name: string;
}

/**
 * Most bytes that a statement answers. Beyond 512 MiB the driver cannot make a string of it, and says so where nobody
 * catches it; a request that reads as much at once holds up all others long before.
 */
export const MAXIMUM_ANSWER_BYTES = 16 * 2 ** 20;
/** Answered in place of what is larger: no JSON is empty. */
export const TOO_LARGE = '';
