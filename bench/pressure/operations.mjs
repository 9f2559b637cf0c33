import { randomUUID } from 'node:crypto';

/** What other users do while somebody presses: the read, the deed and the stream that are timed. */
export const pointRead =
  'query Point($domain: String!) { customer(by: { domain: $domain }) { id companyName domain } }';
export const purchase = `mutation Buy($input: PurchaseInput!) { purchase(input: $input) {
  __typename ... on PurchaseSuccess { order { id number } } ... on Problem { code message } } }`;
export const feed = `subscription { activity(filter: { actions: [ORDER_PLACED] }) {
  __typename ... on ActivityRecorded { entry { resource { label } } } } }`;

const money = '{ amount currency }';
const order = (inner) => `id number status placedAt total ${money} ${inner}`;
const line = `id lineNumber quantity unitPrice ${money} total ${money} sku { id skuId title kind product { id title publisher } } entitlement { id status }`;
const plainLine = `id lineNumber quantity unitPrice ${money} sku { id skuId title kind product { id title } }`;
const dimensions = ['CUSTOMER', 'KIND', 'MARKET', 'MONTH', 'PRODUCT'];
const salesOf = (groupBy) =>
  `sales(groupBy: [${groupBy}]) { month kind count quantity gross ${money} credited ${money} net ${money} ${groupBy.includes('CUSTOMER') ? 'customer { id companyName domain }' : ''} ${groupBy.includes('PRODUCT') ? 'product { id title }' : ''} market { code name } }`;
const counts = (field, times = 20) =>
  Array.from({ length: times }, (_, index) => `c${index}: ${field.replace('@', String(index))} { totalCount }`).join(
    ' ',
  );

/**
 * Candidates for the most expensive request of a role, `n` and `m` being page sizes to be tried from the largest down:
 * of those that the gateway takes, the one that takes longest is what the role is pressed with.
 */
export const candidates = [
  ({ n, m }) =>
    `{ customers(first: ${n}) { nodes { id companyName orders(first: ${m}) { nodes { ${order(`lines { ${line} } cancellations { id status lines { id quantity } }`)} } } } } }`,
  ({ n, m }) =>
    `{ customers(first: ${n}) { nodes { id companyName orders(first: ${m}) { nodes { ${order(`lines { ${plainLine} }`)} } } } } }`,
  ({ n }) => `{ customers(first: ${n}) { totalCount nodes { id companyName orders(first: 1) { totalCount } } } }`,
  ({ n }) =>
    `{ orders(first: ${n}) { totalCount nodes { ${order(`customer { id companyName } lines { ${plainLine} }`)} } } }`,
  ({ n, m }) =>
    `{ software(first: ${n}) { totalCount nodes { id status customer { id orders(first: ${m}) { totalCount nodes { id lines { id } } } } orderLine { ${line} } } } }`,
  ({ n, m }) =>
    `{ invoices(first: ${n}) { totalCount nodes { id number total ${money} lines { id amount ${money} order { id number lines { id } } } customer { id invoices(first: ${m}) { totalCount } } } } }`,
  ({ n, m }) =>
    `{ supportRequests(first: ${n}) { totalCount nodes { id number customer { id supportRequests(first: ${m}) { totalCount nodes { id title } } } } } }`,
  ({ n }) =>
    `{ activity(first: ${n}) { totalCount nodes { id at action actor { userPrincipalName } resource { label } customer { id companyName } order { id number lines { id } } } } }`,
  ({ n, m }) =>
    `{ activity(first: ${n}) { nodes { id customer { id activity(first: ${m}) { totalCount nodes { id at } } } } } }`,
  ({ n }) =>
    `{ products(first: ${n}) { totalCount nodes { id title skus { id title price(market: "US") { unitPrice ${money} } } } } }`,
  ...[5, 4, 3, 2, 1].map((length) => () => `{ ${salesOf(dimensions.slice(0, length))} }`),
  ...[
    'orders(first: 1, filter: { productId: "DG7GMGF0FKZV" })',
    'orders(first: 1, filter: { kind: SUBSCRIPTION })',
    'customers(first: 1, filter: { search: "o@" })',
    'activity(first: 1, filter: { actor: "agent@" })',
    'activity(first: 1)',
    'software(first: 1)',
    'orders(first: 1)',
    'invoices(first: 1)',
    'supportRequests(first: 1)',
    'products(first: 1, filter: { search: "s" })',
  ].flatMap((field) => [20, 10, 5, 2, 1].map((times) => () => `{ ${counts(field, times)} }`)),
  () =>
    `{ markets { id code name closedTo currencies } ${Array.from({ length: 19 }, (_, index) => `m${index}: markets { id code name closedTo currencies }`).join(' ')} }`,
];

/** Twenty counts in a request of two kilobytes: what made a point read wait 42 s. */
export const twentyCounts = `{ ${counts('activity(first: 1, filter: { actor: "agent@@partner.example" })')} }`;
/** Sums over all dimensions: ran up to 50 s under a limit of 15. */
export const allSales = `{ ${salesOf(dimensions)} }`;
/** The same subscription under another alias: nothing of it is shared. */
export const aliasedFeed = (index) =>
  `subscription { activity { __typename ... on ActivityRecorded { a${index}: entry { id at action actor { userPrincipalName } customer { companyName } order { number lines { id } } } } } }`;
export const refusedKey = (id) =>
  `mutation { revealProductKey(input: { entitlementId: "${id}", version: "2019" }) { __typename } }`;
/** Entries of the log as somebody follows them. */
export const entryFeed = `subscription ($after: String) { activity(after: $after) {
  __typename ... on ActivityRecorded { entry { id at action resource { label } customer { companyName } } } } }`;
/** Messages of a log of which a filter leaves nothing. */
export const nothingFeed = `subscription ($after: String, $filter: ActivityFilter) { activity(after: $after, filter: $filter) {
  __typename ... on FeedMessage { cursor } } }`;
/** Two conditions, each with an index, that nothing fulfils at once. */
export const contradiction = `{ activity(first: 1, filter: { actor: "agent.bruno@partner.example", actorObjectId: "${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}" }) { nodes { id } } }`;
export const supportRequest = {
  query: `mutation ($input: SubmitSupportRequestInput!) { submitSupportRequest(input: $input) {
    __typename ... on SubmitSupportRequestSuccess { uploadUrl } ... on Problem { code message } } }`,
  variables: (customerId) => ({
    input: {
      idempotencyKey: randomUUID(),
      customerId,
      topic: 'CSP Purchase/Refund on behalf of customers',
      impact: 'MINIMAL',
      title: 'title',
      description: 'description',
      contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
    },
  }),
};
