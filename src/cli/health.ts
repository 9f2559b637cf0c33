import { parseArgs } from 'node:util';
import { readConfig } from '../config/config.js';
import { CommandRefused, runCommand } from './run-command.js';

const USAGE = `Asks the gateway of this machine whether it is ready, with the settings that it was started with.

  npm run health

It exits with 0 where it is, with 1 where it is not or does not answer: for health checks of containers.`;

/** A gateway that takes longer than this is not ready. */
const PATIENCE_MS = 2_500;

/** Where a listener of this machine is reached that listens on all of its addresses. */
const anyAddress: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

async function main(): Promise<undefined> {
  parseArgs({ options: {} });
  const { admin, ...doors } = readConfig();
  const { host, port } = admin.listen ?? doors;
  const reached = anyAddress[host] ?? host;
  const url = `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}/health/ready`;
  const response = await fetch(url, {
    headers: admin.token === null ? {} : { authorization: `Bearer ${admin.token}` },
    signal: AbortSignal.timeout(PATIENCE_MS),
  }).catch((error: Error) => {
    throw new CommandRefused(`${url} does not answer: ${(error.cause as Error | undefined)?.message ?? error.message}`);
  });
  const text = await response.text();
  if (!response.ok) throw new CommandRefused(`${url} answers ${response.status} ${text}`);
  console.log(text);
}

await runCommand(USAGE, main);
