import type { AccessRules } from '../../auth/access-rule.js';
import { operators } from '../../auth/role-sets.js';

/** Who sees jobs, begins them anew and gives them up. */
export const jobAccess = {
  'Query.jobs': { roles: operators },
  Job: { roles: operators },
  'Query.periodicWork': { roles: operators },
  PeriodicWork: { roles: operators },
  'Mutation.retryJob': { roles: operators },
  'Mutation.giveUpJob': { roles: operators },
} satisfies AccessRules;
