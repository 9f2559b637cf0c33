import { hostname, userInfo } from 'node:os';
import type { Actor } from '../activity-log/record-activity.js';

/** Whoever runs a command, as the log names them. */
export function operatorOf(application: string): Actor {
  const userPrincipalName = `${userInfo().username}@${hostname()}`.toLowerCase();
  return { identity: null, userPrincipalName, role: 'OPERATOR', application };
}
