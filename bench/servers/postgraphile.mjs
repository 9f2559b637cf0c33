// PostGraphile 5, Amber preset, grafserv on node:http, over the tables as they are and postgraphile.sql.
import http from 'node:http';
import { printSchema } from 'graphql';
import { postgraphile } from 'postgraphile';
import { TYPES } from 'postgraphile/@dataplan/pg';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { listen, tellServed } from './served.mjs';

/** The log's transaction numbers: PostGraphile knows no such type, and says so at length. Nothing here asks for them. */
const transactionNumbers = {
  name: 'transaction-numbers',
  version: '1.0.0',
  gather: {
    hooks: {
      pgCodecs_findPgCodec(_info, event) {
        if (event.pgType.typname === 'xid8') event.pgCodec ??= TYPES.bigint;
      },
    },
  },
};

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      schemas: ['public'],
      connectionString: process.env.DATABASE_URL,
      poolConfig: { max: 10, idleTimeoutMillis: 0 },
    }),
  ],
  plugins: [transactionNumbers],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  grafast: { explain: false },
});
// To look at what PostGraphile made of the tables: DATABASE_URL=… PRINT=1 node servers/postgraphile.mjs
if (process.env.PRINT) {
  console.log(printSchema(await instance.getSchema()));
  process.exit(0);
}
const server = http.createServer();
await instance.createServ(grafserv).addTo(server);
tellServed({ url: `${await listen(server)}/graphql` });
