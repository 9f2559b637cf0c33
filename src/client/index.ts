export { currentVariables } from './deliver.js';
export {
  defaultRetryWait,
  type FeedMessage,
  type FollowOptions,
  followFeed,
  type Observer,
  type Subscribe,
} from './follow-feed.js';
export { fromApollo } from './from-apollo.js';
export { fromGraphqlSse, fromGraphqlWs } from './from-graphql-ws.js';
export { fromUrql } from './from-urql.js';
export { FeedRefused, isRefusal } from './refusal.js';
