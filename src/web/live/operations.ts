/** What the dashboard asks. The gateway trusts it where it trusts some documents only. */
/** The newest entries, and the actions that there are. */
export const RECENT = `query ($filter: ActivityFilter) { activity(last: 50, filter: $filter) {
  pageInfo { endCursor } nodes { ...Shown } } __type(name: "ActivityAction") { enumValues { name } } }
fragment Shown on ActivityEntry { id at action outcome actor { userPrincipalName role } customer { companyName } resource { label } }`;

/** What comes after them. */
export const FEED = `subscription ($after: String, $filter: ActivityFilter) { activity(after: $after, filter: $filter) { __typename
  ... on FeedMessage { cursor } ... on ActivityRecorded { entry { id at action outcome actor { userPrincipalName role } customer { companyName } resource { label } } }
  ... on AccessChanged { message } } }`;

export const liveOperations: readonly string[] = [RECENT, FEED];
