import type { Role } from '../../src/auth/role.js';
import { SessionsDocument, type SessionsQuery } from '../generated/graphql.js';
import type { TestGateway } from './gateway.js';
import { until } from './until.js';

/** Has a user come once, so that the gateway knows them: what `revokeAccess` asks for. */
export async function come(gateway: TestGateway, user: string, role: Role = 'ADMIN_AGENT'): Promise<void> {
  const token = await gateway.token(role, { user });
  const { status } = await gateway.run('{ viewer { userPrincipalName } }', {}, { token });
  if (status !== 200) throw new Error(`${user} was answered ${status}`);
}

/** A session as GLOBAL_ADMINs see it. */
export type TestSession = NonNullable<SessionsQuery['sessions']>['nodes'][number];

/** The sessions of a user, once there are as many as expected. */
export async function sessionsOf(
  gateway: TestGateway,
  userPrincipalName: string,
  count: number,
): Promise<TestSession[]> {
  let nodes: TestSession[] = [];
  await until(`${userPrincipalName} has ${count} sessions`, async () => {
    const { data } = await gateway.run(SessionsDocument, { filter: { userPrincipalName } });
    nodes = data.sessions?.nodes ?? [];
    return nodes.length === count;
  });
  return nodes;
}
