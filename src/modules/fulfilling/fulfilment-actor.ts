import type { Actor } from '../../activity-log/record-activity.js';
import { parseIdentity } from '../../auth/identity.js';

/** Who asked for what is fulfilled, as its row has kept them. */
export interface Asker {
  /** Key of the identity; absent for what is older than identities. */
  identity: string | null | undefined;
  userPrincipalName: string;
  role: string;
}

/** Fulfilment as an actor: in the name of who asked (rule 22). */
export function fulfilmentFor({ identity, userPrincipalName, role }: Asker): Actor {
  return { identity: parseIdentity(identity ?? null), userPrincipalName, role, application: 'fulfilment' };
}
