// The gateway as it is started, with a budget that no measurement spends; it signs the tokens that are measured with.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoIdentity } from '../../dist/src/auth/demo-identities.js';
import { signDemoToken } from '../../dist/src/auth/tokens.js';
import { readConfig } from '../../dist/src/config/config.js';
import { startGateway } from '../../dist/src/server/start-gateway.js';
import { PRODUCT_KEY_SECRETS } from '../secrets.mjs';

const dataDir = mkdtempSync(join(tmpdir(), 'csp-graph-write-'));
const config = readConfig({
  DATABASE_URL: process.env.DATABASE_URL,
  DATA_DIR: dataDir,
  PRODUCT_KEY_SECRETS,
  PORT: '0',
  LOG_LEVEL: 'error',
  COST_BUDGET: '1000000',
  FULFILMENT_DELAY_MS: '0',
});
const gateway = await startGateway(config);
process.on('disconnect', async () => {
  await gateway.stop();
  rmSync(dataDir, { recursive: true, force: true });
  process.exit(0);
});
const { userPrincipalName, ...agent } = demoIdentity('ADMIN_AGENT', config.auth.partnerTenantId);
const tokens = await Promise.all(
  Array.from({ length: Number(process.argv[2]) }, (_, at) =>
    signDemoToken({ ...agent, userPrincipalName: `${at}.${userPrincipalName}` }, '12h', config.signingSecret),
  ),
);
process.send({ url: gateway.url, tokens });
