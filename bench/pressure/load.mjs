// A process that presses: what it does must not slow whoever holds the watch.
import { setMaxListeners } from 'node:events';
import { loadOfRole, loads } from './loads.mjs';

process.on('message', async ({ key, role, query, url, tokens, seconds }) => {
  const { run } = key ? loads[key] : loadOfRole(role, query);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const until = performance.now() + seconds * 1_000;
  // What is still in flight is cut: some answers take longer than the load.
  const cut = setTimeout(() => stop.abort(), seconds * 1_000 + 500);
  try {
    process.send({ told: await run({ url, tokens, until, signal: stop.signal }) });
  } catch (error) {
    process.send({ told: { [`failed: ${error.message}`]: 1 } });
  }
  clearTimeout(cut);
  process.exit(0);
});
process.on('disconnect', () => process.exit(0));
