// graphql-yoga 5 on node:http with hand-written dataloaders; its caches of parsed and validated documents are on.
import http from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { createLoaders, loading, typeDefs } from './by-hand.mjs';
import { listen, tellServed } from './served.mjs';

const yoga = createYoga({
  logging: false,
  graphiql: false,
  landingPage: false,
  schema: createSchema({ typeDefs, resolvers: loading }),
  context: () => ({ loaders: createLoaders() }),
});
tellServed({ url: `${await listen(http.createServer(yoga))}/graphql` });
