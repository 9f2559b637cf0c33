// A gateway in a process of its own, by whose clock it is DAYS_BACK days ago: what it sells is charged on months that are over.
import { readConfig } from '../../dist/src/config/config.js';
import { startGateway } from '../../dist/src/server/start-gateway.js';

const backMs = Number(process.env.DAYS_BACK) * 86_400_000;
const gateway = await startGateway(readConfig(), { now: () => new Date(Date.now() - backMs) });
console.log(`ready ${gateway.url}/graphql`);
process.once('SIGTERM', async () => {
  await gateway.stop();
  process.exit(0);
});
