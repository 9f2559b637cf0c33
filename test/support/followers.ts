import { ApolloClient, ApolloLink, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client, createRequest, subscriptionExchange } from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import {
  type FeedMessage,
  fromApollo,
  fromGraphqlSse,
  fromGraphqlWs,
  fromUrql,
  type Subscribe,
} from '../../src/client/index.js';

/** The feed as followers of these tests ask for it. */
export const FOLLOWED = `subscription ($after: String) { activity(after: $after) { __typename
  ... on FeedMessage { cursor } ... on ActivityRecorded { entry { resource { label } } } } }`;

export interface FollowedMessage extends FeedMessage {
  entry?: { resource: { label: string } };
}

/** A way to subscribe, with a client of its own. */
export interface Follower {
  subscribe: Subscribe<FollowedMessage>;
  dispose(): void;
}

/** Milliseconds before clients connect again: tests cut often. */
const RETRY_MS = 20;
const soon = () => new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS));
/** A token, or what gives one for each connection. */
type Token = string | (() => string);
const bearer = (token: Token) => ({ authorization: `Bearer ${typeof token === 'string' ? token : token()}` });
const socketClient = (url: string, token: Token, retryAttempts: number) =>
  createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: () => bearer(token),
    retryAttempts,
    retryWait: soon,
  });
const streamClient = (url: string, token: Token, retryAttempts: number) =>
  createSseClient({
    url: `${url}/graphql/stream`,
    headers: () => bearer(token),
    retryAttempts,
    retry: soon,
  });
const FOR_EVER = Number.POSITIVE_INFINITY;

/** Every client that the package knows; where it can, reconnecting by itself as well as not. */
export const followers: Record<string, (url: string, token: Token) => Follower> = {
  'graphql-ws': (url, token) => {
    const client = socketClient(url, token, 0);
    return { subscribe: fromGraphqlWs(client, FOLLOWED), dispose: () => void client.dispose() };
  },
  'graphql-ws, reconnecting by itself': (url, token) => {
    const client = socketClient(url, token, FOR_EVER);
    return { subscribe: fromGraphqlWs(client, FOLLOWED), dispose: () => void client.dispose() };
  },
  'graphql-sse': (url, token) => {
    const client = streamClient(url, token, 0);
    return { subscribe: fromGraphqlSse(client, FOLLOWED), dispose: () => client.dispose() };
  },
  'graphql-sse, reconnecting by itself': (url, token) => {
    const client = streamClient(url, token, FOR_EVER);
    return { subscribe: fromGraphqlSse(client, FOLLOWED), dispose: () => client.dispose() };
  },
  'Apollo Client': (url, token) => apollo(socketClient(url, token, 0)),
  'Apollo Client, reconnecting by itself': (url, token) => apollo(socketClient(url, token, FOR_EVER)),
  urql: (url, token) => urql(socketClient(url, token, 0)),
  'urql, reconnecting by itself': (url, token) => urql(socketClient(url, token, FOR_EVER)),
};

function apollo(socket: ReturnType<typeof socketClient>): Follower {
  const client = new ApolloClient({ link: ApolloLink.from([new GraphQLWsLink(socket)]), cache: new InMemoryCache() });
  return {
    subscribe: fromApollo(client, gql(FOLLOWED)),
    dispose: () => {
      client.stop();
      void socket.dispose();
    },
  };
}

function urql(socket: ReturnType<typeof socketClient>): Follower {
  const client = new Client({
    url: 'http://nowhere.invalid',
    preferGetMethod: false,
    exchanges: [
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query, variables: variables as Record<string, unknown> }, sink),
          }),
        }),
      }),
    ],
  });
  return { subscribe: fromUrql(client, createRequest(FOLLOWED, {})), dispose: () => void socket.dispose() };
}
