// A gateway in a process of its own, whose provider is a server: PROVIDER_URL/purchase and PROVIDER_URL/cancel.
import { readConfig } from '../../dist/src/config/config.js';
import { startGateway } from '../../dist/src/server/start-gateway.js';

const ask = (what) => async (request, signal) => {
  const body = JSON.stringify(request);
  return (await fetch(`${process.env.PROVIDER_URL}/${what}`, { method: 'POST', body, signal })).json();
};
const gateway = await startGateway(readConfig(), { provider: { purchase: ask('purchase'), cancel: ask('cancel') } });
console.log(`ready ${gateway.url}/graphql`);
process.once('SIGTERM', async () => {
  await gateway.stop();
  process.exit(0);
});
