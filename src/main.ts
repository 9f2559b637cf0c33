import { demoTokens } from './auth/demo-identities.js';
import { readConfig } from './config/config.js';
import { ConfigError } from './config/config-error.js';
import { EmbeddedDatabaseInUse } from './database/embedded-lock.js';
import { NotAReplica } from './database/replica.js';
import { loadDemoOnFirstStart } from './seed/demo/load-demo.js';
import { greeting, progress } from './server/greeting.js';
import { type Gateway, startGateway } from './server/start-gateway.js';

// Whoever reads our lines may stop reading, as `npm start | head` does: that is no reason to stop serving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** What is left for closing what is idle, once the drain's time is over. */
const CLOSING_MS = 1_000;
/** The parent process at the beginning: it may end while the gateway starts. */
const parent = process.ppid;
/** How often it is looked whether npm's shell is still there. */
const PARENT_CHECK_MS = 500;

/** Reads the settings, starts, says where, and stops on a signal. */
async function main(): Promise<void> {
  const config = readConfig();
  const { say, done } = progress(process.stderr);
  const { auth, signingSecret, productKeySecrets } = config;
  const gateway: Gateway = await startGateway(config, {
    onProgress: say,
    prepare: async (orm) => {
      if (!config.demoData) return;
      const onProgress = (count: number, total: number) =>
        say(`loading demonstration data: ${Math.floor((100 * count) / total)} %`);
      await loadDemoOnFirstStart(orm, { now: new Date(), productKeySecrets, onProgress });
    },
  });
  done();
  const tokens =
    auth.kind === 'demo' && !config.production ? await demoTokens(auth.partnerTenantId, '8h', signingSecret) : [];
  process.stderr.write(await greeting(gateway, tokens));

  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    process.stderr.write('stopping\n');
    // A statement that waits for a lock would hold its connection, and so the process, beyond what was allowed.
    setTimeout(() => {
      gateway.services.log.error('not everything could be finished in DRAIN_TIMEOUT_MS; stopping all the same');
      process.exit(1);
    }, config.drainTimeoutMs + CLOSING_MS).unref();
    gateway.stop().then(
      () => process.exit(0),
      (error) => {
        gateway.services.log.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // A second signal means now.
      if (stopping) process.exit(1);
      stop();
    });
  }
  if (config.startedByNpm) onceParentEnded(stop);
  process.stdout.write(`ready ${gateway.url}/graphql\n`);
}

/**
 * npm runs a script in a shell, which a SIGTERM for npm ends without handing it on: the gateway would stay behind with
 * its port and its database.
 */
function onceParentEnded(stop: () => void): void {
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, PARENT_CHECK_MS).unref();
}

/** What to do about a database that cannot be used, by what node-postgres or PostgreSQL calls it. */
const databaseProblems: Record<string, string> = {
  ECONNREFUSED:
    'nothing answers there. Start the PostgreSQL server, or leave the setting out for the embedded database.',
  ENOTFOUND: 'there is no host of that name.',
  EAI_AGAIN: 'the name of the host cannot be looked up.',
  '3D000': 'there is no database of that name. Make it with createdb, or name another one.',
  '28000': 'the server does not let that user in.',
  '28P01': 'the password is not the user’s.',
};

main().catch((error: Error & { code?: string }) => {
  const problem = databaseProblems[error.code ?? ''];
  if (error instanceof ConfigError || error instanceof EmbeddedDatabaseInUse || error instanceof NotAReplica)
    console.error(`\n${error.message}`);
  else if (error.code === 'EADDRINUSE')
    console.error(
      '\nPORT: the port is taken. Stop what listens there, or set PORT to another one (0 picks a free one).',
    );
  else if (problem) console.error(`\nDATABASE_URL: ${problem}`);
  else console.error(error);
  process.exit(1);
});
