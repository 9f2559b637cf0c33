import { once } from 'node:events';
import { createServer } from 'node:net';
import { constants } from 'node:os';
import { type Config, readConfig } from './config/config.js';
import { greeting, progress } from './server/greeting.js';
import type { Gateway } from './server/start-gateway.js';
import { startProblem } from './server/start-problem.js';

// Whoever reads our lines may stop reading, as `npm start | head` does: that is no reason to stop serving.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** What is left for closing what is idle, once the drain's time is over. */
const CLOSING_MS = 1_000;
/** The parent process at the beginning: it may end while the gateway starts. */
const parent = process.ppid;
/** How often it is looked whether npm's shell is still there. */
const PARENT_CHECK_MS = 500;

/** The settings, once they are read: what goes wrong with them is told by their names. */
let settings: Config | null = null;

/** Reads the settings, starts, says where, and stops on a signal. */
async function main(): Promise<void> {
  let stop: (() => void) | null = null;
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Before it serves there is nothing to finish. Process 1 of a container never gets a signal that nobody handles.
      if (!stop) process.exit(128 + constants.signals[signal]);
      // A second signal means now.
      if (stopping) process.exit(1);
      stop();
    });
  }
  const config = readConfig();
  settings = config;
  if (config.database.kind === 'embedded') await tryPort(config);
  const { say, done } = progress(process.stderr);
  // Loading takes longer than all that wrong settings need to be told, and somebody may be waiting in front of it.
  say('loading the gateway');
  const { startGateway } = await import('./server/start-gateway.js');
  const { productKeySecrets } = config;
  const gateway: Gateway = await startGateway(config, {
    onProgress: say,
    prepare: async (orm) => {
      if (!config.demoData) return;
      const { loadDemoOnFirstStart } = await import('./seed/demo/load-demo.js');
      const onProgress = (count: number, total: number) =>
        say('loading demonstration data', Math.floor((100 * count) / total));
      await loadDemoOnFirstStart(orm, { now: new Date(), productKeySecrets, onProgress });
    },
  });
  done();

  stop = () => {
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
  if (config.startedByNpm) onceParentEnded(stop);
  process.stdout.write(`ready ${gateway.url}/graphql\n`);
  // It serves: whatever becomes of the greeting must not end it.
  greeting(gateway).then(
    (text) => process.stderr.write(text),
    () => undefined,
  );
}

/**
 * Rejects where the port is taken: somebody's first start need not load everything to end with that. On a server another
 * gateway may be letting go of the port meanwhile.
 */
async function tryPort({ port, host }: Config): Promise<void> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
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

main().catch((error: Error) => {
  const problem = startProblem(error, settings);
  console.error(problem ? `\n${problem}` : error);
  process.exit(1);
});
