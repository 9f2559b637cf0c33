import { parseArgs } from 'node:util';
import { startSimulator } from './simulator.js';
import { CLIENT_ID, CLIENT_SECRET } from './tokens.js';

/** `npm run simulator`: Partner Center for trying out, on this machine. */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4100' },
    seed: { type: 'string', default: '1' },
    customers: { type: 'string', default: '12' },
    sandbox: { type: 'boolean', default: false },
    // As many calls as come, and nobody waits for a second one: for measurements.
    fast: { type: 'boolean', default: false },
    state: { type: 'string' },
  },
});
const simulator = await startSimulator(
  {
    seed: Number(values.seed),
    customers: Number(values.customers),
    isSandbox: values.sandbox,
    ...(values.fast ? { callsPerMinute: 0, retryAfterSeconds: 0 } : {}),
    ...(values.state ? { stateFile: values.state } : {}),
  },
  Number(values.port),
);
process.stdout.write(`Partner Center, simulated: ${simulator.url}

PARTNER_CENTER_URL=${simulator.url}
PARTNER_CENTER_TENANT_ID=${simulator.world.partnerId}
PARTNER_CENTER_CLIENT_ID=${CLIENT_ID}
PARTNER_CENTER_CLIENT_SECRET='${CLIENT_SECRET}'

docs/partner-center.md says what can be done to it. Ctrl-C stops it.
`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.close());
