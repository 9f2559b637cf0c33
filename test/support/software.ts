import { randomUUID } from 'node:crypto';
import { PGlite } from '@electric-sql/pglite';
import { embeddedOptions } from '../../src/database/orm.js';
import type { ActivityFilter, ActivityQuery } from '../generated/graphql.js';
import {
  ActivityDocument,
  CancellationConfirmationsDocument,
  CancelOrderDocument,
  CreateDownloadLinkDocument,
  RevealProductKeyDocument,
  SoftwareDocument,
} from '../generated/graphql.js';
import type { TestDatabase } from './database.js';
import { type Caller, startTestGateway, type TestGateway } from './gateway.js';
import { buy, skus, type TestCustomer } from './shop.js';

/** Looks like a product key. */
export const productKeyForm = /[A-Z0-9]{5}(-[A-Z0-9]{5}){4}/;

/** What a test bought, and the first choice that it offers. */
export interface TestSoftware {
  customer: TestCustomer;
  order: { id: string; number: string };
  entitlementId: string;
  versions: { version: string; languages: readonly string[]; architectures: readonly string[] }[];
  choice: { version: string; language: string; architecture: string };
}

/** Buys one SKU and answers what the customer owns by it. */
export async function buySoftware(
  gateway: TestGateway,
  customer: TestCustomer,
  sku: { productId: string; skuId: string } = skus.perpetual,
  quantity = 1,
): Promise<TestSoftware> {
  const order = await buy(gateway, customer, [{ ...sku, quantity }]);
  const { data } = await gateway.run(SoftwareDocument, { filter: { customerId: customer.id } }, 'ADMIN_AGENT');
  const owned = data.software?.nodes.find((node) => node.order.number === order.number);
  if (!owned) throw new Error(JSON.stringify(data));
  const versions = owned.sku.softwareVersions;
  const [version] = versions;
  const choice = {
    version: version?.version ?? '',
    language: version?.languages[0] ?? '',
    architecture: version?.architectures[0] ?? '',
  };
  return { customer, order, entitlementId: owned.id, versions, choice };
}

/** The caller that administers a customer's tenant. */
export async function adminOf(gateway: TestGateway, customer: TestCustomer): Promise<Caller> {
  return { token: await gateway.token('CUSTOMER_ADMIN', { domain: customer.domain, tenantId: customer.tenantId }) };
}

/** Asks for a key; answers the whole answer. */
export function reveal(
  gateway: TestGateway,
  entitlementId: string,
  version: string,
  as: Caller | null = 'ADMIN_AGENT',
) {
  return gateway.run(RevealProductKeyDocument, { input: { entitlementId, version } }, as);
}

/** The key of what was bought. Fails where there is none to have. */
export async function keyOf(
  gateway: TestGateway,
  { entitlementId, choice }: TestSoftware,
  version = choice.version,
): Promise<string> {
  const answer = await reveal(gateway, entitlementId, version);
  const result = answer.data?.revealProductKey;
  if (result?.__typename !== 'RevealProductKeySuccess') throw new Error(JSON.stringify(answer));
  return result.productKey;
}

/** A download link of what was bought. Fails where there is none to have. */
export async function linkOf(
  gateway: TestGateway,
  { entitlementId, choice }: TestSoftware,
  as: Caller = 'ADMIN_AGENT',
): Promise<{ url: string; expiresAt: string; remainingDownloads: number }> {
  const answer = await gateway.run(CreateDownloadLinkDocument, { input: { entitlementId, ...choice } }, as);
  const result = answer.data?.createDownloadLink;
  if (result?.__typename !== 'CreateDownloadLinkSuccess') throw new Error(JSON.stringify(answer));
  return result.downloadLink;
}

/** Asks support something on behalf of a customer, and answers where files for it go. */
export async function uploadUrlOf(
  gateway: TestGateway,
  customer: TestCustomer,
  as: Caller = 'ADMIN_AGENT',
): Promise<string> {
  const answer = await gateway.run(
    'mutation ($input: SubmitSupportRequestInput!) { submitSupportRequest(input: $input) { ... on SubmitSupportRequestSuccess { uploadUrl } } }',
    {
      input: {
        idempotencyKey: randomUUID(),
        customerId: customer.id,
        topic: 'CSP Purchase/Refund on behalf of customers',
        impact: 'MINIMAL',
        title: 'title',
        description: 'description',
        contact: { name: 'Pat', email: 'pat@example.com', phone: '+1 425 555 0100' },
      },
    },
    as,
  );
  return answer.data.submitSupportRequest.uploadUrl;
}

/** Cancels an order and waits until fulfilment has confirmed it. */
export async function cancelAndConfirm(
  gateway: TestGateway,
  { order, customer }: TestSoftware,
  reason?: string,
): Promise<void> {
  const confirmations = await gateway.subscribe(CancellationConfirmationsDocument, { customerId: customer.id });
  await confirmations.nextOf('FeedCaughtUp');
  const { data, errors } = await gateway.run(
    CancelOrderDocument,
    { input: { idempotencyKey: randomUUID(), orderId: order.id, acknowledged: true, reason } },
    'ADMIN_AGENT',
  );
  if (data?.cancelOrder?.__typename !== 'CancelOrderSuccess') throw new Error(JSON.stringify({ data, errors }));
  await confirmations.nextOf('CancellationConfirmed');
  await confirmations.end();
}

/**
 * Waits until every entry committed so far is below the readers' horizon: on a server, any open transaction holds it
 * back.
 */
export async function settled(gateway: TestGateway): Promise<void> {
  for (;;) {
    const above = await gateway.sql('select from activity_entries where xid >= feed_horizon() limit 1');
    if (above.length === 0) return;
  }
}

/** An entry of the activity log as `Query.activity` shows it. */
export type TestEntry = NonNullable<ActivityQuery['activity']>['edges'][number]['node'];

/** The newest entries of the log that pass the filter, oldest first. */
export async function entriesOf(gateway: TestGateway, filter: ActivityFilter, as?: Caller): Promise<TestEntry[]> {
  await settled(gateway);
  const { data, errors } = await gateway.run(ActivityDocument, { filter, last: 100 }, as);
  if (errors) throw new Error(JSON.stringify(errors));
  return (data.activity?.edges ?? []).map((edge) => edge.node);
}

/** Every row of every table as text, binary columns in hexadecimal. */
export async function everyRow(gateway: TestGateway): Promise<string> {
  const tables = await gateway.sql<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  const dumps = await Promise.all(
    tables.map(({ name }) =>
      gateway.sql<{ rows: string | null }>(`select string_agg("row"::text, E'\\n') as rows from "${name}" as "row"`),
    ),
  );
  return dumps.map(([dump]) => dump?.rows ?? '').join('\n');
}

/** Stops a gateway and starts another one on the same rows; an embedded database is carried over into `database`. */
export async function restart(
  gateway: TestGateway,
  database: TestDatabase,
  options: Parameters<typeof startTestGateway>[0],
): Promise<TestGateway> {
  const image = await database.pglite?.dumpDataDir('none');
  await gateway.gateway.stop();
  database.pglite = image && (await PGlite.create({ ...embeddedOptions, loadDataDir: image }));
  return startTestGateway({ ...options, database });
}
