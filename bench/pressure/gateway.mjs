// The gateway as it is started, which signs a token for whomever the benchmark names.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoIdentity } from '../../dist/src/auth/demo-identities.js';
import { signDemoToken } from '../../dist/src/auth/tokens.js';
import { readConfig } from '../../dist/src/config/config.js';
import { startGateway } from '../../dist/src/server/start-gateway.js';
import { PRODUCT_KEY_SECRETS } from '../secrets.mjs';

const dataDir = mkdtempSync(join(tmpdir(), 'csp-graph-pressure-'));
// Settings are those of `npm start`: the bounds that are tried are the defaults.
const config = readConfig({
  DATABASE_URL: process.env.DATABASE_URL,
  DATA_DIR: dataDir,
  PRODUCT_KEY_SECRETS,
  PORT: '0',
  LOG_LEVEL: 'error',
});
const gateway = await startGateway(config);

const answers = {
  token: ({ role, user, tenant }) => {
    const identity = demoIdentity(role, config.auth.partnerTenantId, tenant);
    const userPrincipalName = user ?? identity.userPrincipalName;
    return signDemoToken({ ...identity, userPrincipalName }, '12h', config.signingSecret);
  },
  usage: () => ({ residentBytes: process.memoryUsage.rss() }),
};
process.on('message', async ({ id, ask, ...about }) => process.send({ id, answer: await answers[ask](about) }));
process.on('disconnect', async () => {
  await gateway.stop();
  rmSync(dataDir, { recursive: true, force: true });
  process.exit(0);
});
process.send({ url: gateway.url });
