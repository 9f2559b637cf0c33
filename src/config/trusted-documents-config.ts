import type { Role } from '../domain/role.js';

/** Stands among roles for callers who have none: without a token, or with one that gives no role. */
export const ANONYMOUS = 'ANONYMOUS';

/** Which documents are trusted, and who runs only those. */
export interface TrustedDocumentsConfig {
  /** Files and folders. */
  paths: string[];
  /** Who has no role but these runs trusted documents only. */
  roles: readonly (Role | typeof ANONYMOUS)[];
}
