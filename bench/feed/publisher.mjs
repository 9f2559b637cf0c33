// Commits entries as other gateways would: each in a transaction of its own, on eight connections.
import pg from 'pg';
import { insertCustomer, insertEntry, publishAtRate } from './messages.mjs';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
await pool.query(insertCustomer);
process.on('message', async ({ rate, seconds }) => {
  const committed = [];
  await publishAtRate(
    (due) => committed.push(pool.query({ name: 'entry', text: insertEntry, values: [due.toFixed(3)] })),
    rate,
    seconds,
  );
  await Promise.all(committed);
  process.send({ published: true });
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
