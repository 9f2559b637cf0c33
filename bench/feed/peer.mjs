// A peer, or the limit, in a process of its own: MODE says which. Events come from memory: no database, no tokens.
import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { messageAt, publishAtRate, typeDefs } from './messages.mjs';

EventEmitter.defaultMaxListeners = 0;
const { MODE } = process.env;
let publish = () => undefined;
const listening = (server) => server.listen(0, '127.0.0.1', 4_096, () => process.send({ port: server.address().port }));

/** The product's schema for a peer, over its own publisher. */
async function schemaOver(pubsub) {
  const { makeExecutableSchema } = await import('@graphql-tools/schema');
  const activity = { subscribe: () => pubsub.subscribe('activity'), resolve: (event) => event };
  return makeExecutableSchema({ typeDefs, resolvers: { Query: { ok: () => true }, Subscription: { activity } } });
}

/** Yoga's own ends the process once 1,024 events wait for a subscriber; this one lets them wait. */
async function unboundedPubSub() {
  const { PubSub } = await import('graphql-subscriptions');
  const pubsub = new PubSub();
  return {
    publish: (name, event) => void pubsub.publish(name, event),
    subscribe: (name) => pubsub.asyncIterableIterator(name),
  };
}

const modes = {
  /** Bare `ws`: no GraphQL at all, a text made once, frames of 20 ms written together. */
  async limit() {
    const { WebSocketServer, Sender } = await import('ws');
    const server = createServer();
    const sockets = new Set();
    new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: () => 'graphql-transport-ws' }).on(
      'connection',
      (socket, { socket: connection }) => {
        socket.on('message', (text) => {
          const { type } = JSON.parse(text);
          if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
          if (type === 'subscribe') sockets.add(connection);
        });
      },
    );
    let frames = [];
    const flush = () => {
      const bytes = Buffer.concat(frames);
      frames = [];
      for (const socket of sockets) socket.write(bytes);
    };
    publish = (due) => {
      const text = `{"id":"1","type":"next","payload":{"data":{"activity":${JSON.stringify(messageAt(due))}}}}`;
      if (frames.length === 0) setTimeout(flush, 20);
      frames.push(
        ...Sender.frame(Buffer.from(text), { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: false }),
      );
    };
    listening(server);
  },
  async 'graphql-ws'() {
    const [{ WebSocketServer }, { useServer }, pubsub] = await Promise.all([
      import('ws'),
      import('graphql-ws/use/ws'),
      unboundedPubSub(),
    ]);
    const server = createServer();
    const sockets = new WebSocketServer({ server, path: '/graphql', perMessageDeflate: false });
    useServer({ schema: await schemaOver(pubsub) }, sockets);
    publish = (due) => pubsub.publish('activity', messageAt(due));
    listening(server);
  },
  async mercurius() {
    const [{ default: Fastify }, { default: mercurius }] = await Promise.all([import('fastify'), import('mercurius')]);
    const app = Fastify();
    app.register(mercurius, {
      schema: typeDefs,
      subscription: true,
      jit: 1,
      resolvers: {
        Subscription: { activity: { subscribe: (_root, _args, { pubsub }) => pubsub.subscribe('activity') } },
      },
    });
    await app.ready();
    publish = (due) => app.graphql.pubsub.publish({ topic: 'activity', payload: { activity: messageAt(due) } });
    listening(app.server);
  },
  async yoga() {
    const [{ createYoga }, { WebSocketServer }, { useServer }, pubsub] = await Promise.all([
      import('graphql-yoga'),
      import('ws'),
      import('graphql-ws/use/ws'),
      unboundedPubSub(),
    ]);
    const yoga = createYoga({ schema: await schemaOver(pubsub), logging: false, graphiql: false });
    const server = createServer(yoga);
    const sockets = new WebSocketServer({ server, path: '/graphql', perMessageDeflate: false });
    // As Yoga's documentation connects it to graphql-ws.
    useServer(
      {
        execute: (args) => args.rootValue.execute(args),
        subscribe: (args) => args.rootValue.subscribe(args),
        onSubscribe: async (ctx, _id, params) => {
          const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
            ...ctx,
            req: ctx.extra.request,
            socket: ctx.extra.socket,
            params,
          });
          const args = {
            schema,
            document: parse(params.query),
            variableValues: params.variables,
            contextValue: await contextFactory(),
            rootValue: { execute, subscribe },
          };
          const errors = validate(args.schema, args.document);
          return errors.length > 0 ? errors : args;
        },
      },
      sockets,
    );
    publish = (due) => pubsub.publish('activity', messageAt(due));
    listening(server);
  },
};

process.on('message', async ({ rate, seconds }) => {
  await publishAtRate((due) => publish(due), rate, seconds);
  process.send({ published: true });
});
process.on('disconnect', () => process.exit(0));
await modes[MODE]();
