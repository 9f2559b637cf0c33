import { Role } from '../auth/role.js';
import { hasRole } from '../auth/viewer.js';
import type { Context } from '../context/context.js';

/** Header by which an operator asks how an answer came about; `1`. */
export const EXPLAIN_HEADER = 'x-csp-explain';

/** How an answer came about. */
export interface Explanation {
  /** Whether compiled reads answered it alone, or it was executed field by field. */
  path: 'compiled' | 'executed';
  /** Whether the document was answered before, and so was neither parsed nor validated. */
  document: 'known' | 'new';
  /** Reads sent to the database. */
  statements: number;
  /** From the request's document to its answer. */
  ms: number;
}

/** `extensions` for an operator (GLOBAL_ADMIN) who asks; undefined for anybody else. */
export function explain(
  header: unknown,
  { viewer, read }: Context,
  path: Explanation['path'],
  document: Explanation['document'],
  began: number,
): { csp: Explanation } | undefined {
  if (header !== '1' || !hasRole(viewer, [Role.GLOBAL_ADMIN])) return undefined;
  const ms = Math.round((performance.now() - began) * 10) / 10;
  return { csp: { path, document, statements: read.statements, ms } };
}
