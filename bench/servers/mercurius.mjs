// Mercurius 16 with its JIT from the first request on, and its own batching loaders written by hand.
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { batch, root, typeDefs } from './by-hand.mjs';
import { tellServed } from './served.mjs';

// Without Mercurius' cache of loaded objects: it keys by stringifying, and was the slower way here.
const loader = (read) => ({ loader: read, opts: { cache: false } });
const by = (key, read) => loader((queries) => read(queries.map(({ obj }) => obj[key])));

const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  jit: 1,
  graphiql: false,
  resolvers: { Query: root },
  loaders: {
    Customer: {
      orders: loader((queries) =>
        batch.orders(
          queries.map(({ obj }) => obj.id),
          queries[0].params.first,
        ),
      ),
    },
    Order: { lines: by('id', batch.lines) },
    OrderLine: { sku: by('skuKey', batch.sku), entitlement: by('id', batch.entitlement) },
    Sku: { product: by('productKey', batch.product) },
    ActivityEntry: {
      customer: loader(async (queries) => {
        const ids = queries.map(({ obj }) => obj.customerId).filter((id) => id !== null);
        const found = new Map((await batch.customer(ids)).map((customer, index) => [ids[index], customer]));
        return queries.map(({ obj }) => found.get(obj.customerId) ?? null);
      }),
    },
  },
});
const base = await app.listen({ port: 0, host: '127.0.0.1' });
tellServed({ url: `${base}/graphql` });
