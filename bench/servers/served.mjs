import { createRequire } from 'node:module';

/**
 * Tells the benchmark where this process serves, and answers its questions: CPU time and memory of the process, and
 * which statements it sent while they were counted.
 * @param url where the shapes are asked for: one address, or one per shape
 * @param facts whatever else the benchmark must know
 * @param pgFrom the module whose copy of node-postgres the server uses
 */
export function tellServed({ url, facts = {}, pgFrom = import.meta.url, stop = () => undefined }) {
  const { Query } = createRequire(pgFrom)('pg');
  const { submit } = Query.prototype;
  let counted = null;
  process.on('message', async (message) => {
    if (message === 'usage') {
      const { user, system } = process.cpuUsage();
      process.send({ cpuMicroseconds: user + system, residentBytes: process.memoryUsage.rss() });
    } else if (message === 'count') {
      counted = {};
      Query.prototype.submit = function (...rest) {
        const text = this.text ?? this.name;
        counted[text] = (counted[text] ?? 0) + 1;
        return submit.apply(this, rest);
      };
      process.send({ counting: true });
    } else if (message === 'counted') {
      // Counting costs: the patch goes before anything is measured.
      Query.prototype.submit = submit;
      process.send({ counted });
    } else if (message === 'stop') {
      await stop();
      process.exit(0);
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ url, facts });
}

/** Listens on a free port of this machine; answers its address. */
export async function listen(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${server.address().port}`;
}
