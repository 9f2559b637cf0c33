import { demoTokens } from './auth/demo-identities.js';
import { ConfigError, readConfig } from './config.js';
import { loadDemoOnFirstStart } from './demo/load-demo.js';
import { EmbeddedDatabaseInUse } from './embedded-lock.js';
import { greeting, progress } from './greeting.js';
import { type Gateway, startGateway } from './server.js';

// Whoever reads our lines may stop reading, as `npm start | head` does: that is no reason to stop serving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

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
  process.stdout.write(`ready ${gateway.url}/graphql\n`);

  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // A second signal means now.
      if (stopping) process.exit(1);
      stopping = true;
      gateway.stop().then(
        () => process.exit(0),
        (error) => {
          gateway.services.log.error({ err: error }, 'could not stop cleanly');
          process.exit(1);
        },
      );
    });
  }
}

main().catch((error: Error & { code?: string }) => {
  if (error instanceof ConfigError || error instanceof EmbeddedDatabaseInUse) console.error(`\n${error.message}`);
  else if (error.code === 'EADDRINUSE')
    console.error(
      '\nPORT: the port is taken. Stop what listens there, or set PORT to another one (0 picks a free one).',
    );
  else if (error.code === 'ECONNREFUSED')
    console.error(
      '\nDATABASE_URL: nothing answers there. Start the PostgreSQL server, or leave the setting out for the embedded database.',
    );
  else console.error(error);
  process.exit(1);
});
