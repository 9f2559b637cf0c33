// The product in a process of its own, with tokens, roles, limits and metrics, on PostgreSQL.
import { signDemoToken } from '../../dist/src/auth/tokens.js';
import { readConfig } from '../../dist/src/config/config.js';
import { startGateway } from '../../dist/src/server/start-gateway.js';
import { PRODUCT_KEY_SECRETS } from '../secrets.mjs';

const { DATABASE_URL, DATA_DIR } = process.env;
const config = readConfig({
  COST_BUDGET: '999999999',
  DATABASE_URL,
  DATA_DIR,
  PRODUCT_KEY_SECRETS,
  PORT: '0',
  LOG_LEVEL: 'error',
  FEED_POLL_MS: '20',
  // All subscribers are one user's, at one address.
  SOCKETS_PER_USER: '1000000',
  SOCKETS_PER_ADDRESS: '1000000',
  CONNECTIONS: '1000000',
  CONNECTIONS_PER_ADDRESS: '1000000',
  STREAMS_PER_USER: '1000000',
  STREAMS_PER_ADDRESS: '1000000',
});
const gateway = await startGateway(config);
const token = await signDemoToken(
  { role: 'GLOBAL_ADMIN', tenantId: config.auth.partnerTenantId, userPrincipalName: 'bench@partner.example' },
  '12h',
  config.signingSecret,
);
process.on('disconnect', () => process.exit(0));
process.send({ port: Number(new URL(gateway.url).port), token });
