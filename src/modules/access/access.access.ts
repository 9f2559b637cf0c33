import { type AccessRules, theCaller } from '../../auth/access-rule.js';
import { accessRevokers } from '../../auth/role-sets.js';

/** Who may ask who they are, and who takes access away and gives it back. */
export const accessAccess = {
  'Query.viewer': { roles: 'everyone', rows: theCaller },
  'Mutation.revokeAccess': { roles: accessRevokers },
  'Mutation.restoreAccess': { roles: accessRevokers },
  'Query.sessions': { roles: accessRevokers },
  'Mutation.endSession': { roles: accessRevokers },
  Session: { roles: accessRevokers },
} satisfies AccessRules;
