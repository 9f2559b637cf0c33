import type { Role } from '../../src/auth/role.js';
import type { TestGateway } from './gateway.js';

/** Has a user come once, so that the gateway knows them: what `revokeAccess` asks for. */
export async function come(gateway: TestGateway, user: string, role: Role = 'ADMIN_AGENT'): Promise<void> {
  const token = await gateway.token(role, { user });
  const { status } = await gateway.run('{ viewer { userPrincipalName } }', {}, { token });
  if (status !== 200) throw new Error(`${user} was answered ${status}`);
}
