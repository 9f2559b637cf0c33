// The product as it is started: Fastify, tokens, roles, limits, metrics, error masking, the activity feed's reader.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signDemoToken } from '../../dist/src/auth/tokens.js';
import { readConfig } from '../../dist/src/config/config.js';
import { startGateway } from '../../dist/src/server/start-gateway.js';
import { PRODUCT_KEY_SECRETS } from '../secrets.mjs';
import { tellServed } from './served.mjs';

const dataDir = mkdtempSync(join(tmpdir(), 'csp-graph-bench-'));
// The libraries run as in production, as the peers' do; the gateway itself does not, because there it signs no tokens.
const config = readConfig({
  DATABASE_URL: process.env.DATABASE_URL,
  DATA_DIR: dataDir,
  PRODUCT_KEY_SECRETS,
  PORT: '0',
  LOG_LEVEL: 'error',
  // One user asks as much as it can: what is spent is counted as ever, and never enough.
  COST_BUDGET: '999999999',
});
const gateway = await startGateway(config);
const token = await signDemoToken(
  { role: 'GLOBAL_ADMIN', tenantId: config.auth.partnerTenantId, userPrincipalName: 'bench@partner.example' },
  '12h',
  config.signingSecret,
);
tellServed({
  url: `${gateway.url}/graphql`,
  facts: { token },
  pgFrom: createRequire(new URL('../../dist/src/database/orm.js', import.meta.url)).resolve('@mikro-orm/postgresql'),
  stop: async () => {
    await gateway.stop();
    rmSync(dataDir, { recursive: true, force: true });
  },
});
