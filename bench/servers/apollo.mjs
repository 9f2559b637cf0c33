// Plain Apollo Server 5, its standalone server. LOADERS=no: resolvers as tutorials write them, each field asking by itself.
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { createLoaders, loading, oneByOne, typeDefs } from './by-hand.mjs';
import { tellServed } from './served.mjs';

const resolvers = process.env.LOADERS === 'no' ? oneByOne : loading;
const server = new ApolloServer({ typeDefs, resolvers });
const { url } = await startStandaloneServer(server, {
  listen: { port: 0, host: '127.0.0.1' },
  context: async () => ({ loaders: createLoaders() }),
});
tellServed({ url });
