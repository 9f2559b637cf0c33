import { randomUUID } from 'node:crypto';
import type { NodeType } from '../../src/domain/global-id.js';
import type { Caller, TestGateway } from './gateway.js';
import { aCustomer, aReconciledLine } from './shop.js';
import { adminOf, buySoftware, cancelAndConfirm, reveal, settled, type TestSoftware } from './software.js';

/** Types that implement Node and belong to nobody. */
export type CatalogType =
  | 'Market'
  | 'Product'
  | 'Sku'
  | 'SoftwareVersion'
  | 'Price'
  | 'Session'
  | 'Job'
  | 'Reconciliation';

/** A customer with rows of every kind. */
export interface TestTenant extends TestSoftware {
  /** Its administrator. */
  admin: Caller;
  /** One id of every type that implements Node and belongs to a customer. */
  ids: Record<Exclude<NodeType, CatalogType>, string>;
  /** Texts by which its rows are known: in the answer to somebody else they have no place. */
  marks: string[];
}

/**
 * A customer that cancelled a purchase, made another, read its key, and for which support was asked, with a file.
 * @param mark a word, in lower case, that is to be in every text of it
 */
export async function aTenant(gateway: TestGateway, { mark = '', segment = 'COMMERCIAL' } = {}): Promise<TestTenant> {
  const customer = await aCustomer(gateway, { mark, segment });
  const told = (text: string) => (mark ? `${text} ${mark}` : text);
  await cancelAndConfirm(gateway, await buySoftware(gateway, customer), told('bought by mistake'));
  const software = await buySoftware(gateway, customer);
  await reveal(gateway, software.entitlementId, software.choice.version);
  const input = {
    idempotencyKey: randomUUID(),
    customerId: customer.id,
    topic: 'CSP Purchase/Refund on behalf of customers',
    impact: 'MINIMAL',
    title: told('title'),
    description: told('description'),
    refundReason: told('reason'),
    contact: { name: told('Pat'), email: `pat@${mark || 'example'}.com`, phone: '+1 425 555 0100' },
  };
  const submitted = await gateway.run(
    'mutation ($input: SubmitSupportRequestInput!) { submitSupportRequest(input: $input) { ... on SubmitSupportRequestSuccess { uploadUrl } } }',
    { input },
  );
  const form = new FormData();
  form.append('files', new Blob([told('text')], { type: 'text/plain' }), `${mark || 'note'}.txt`);
  await fetch(submitted.data.submitSupportRequest.uploadUrl, { method: 'POST', body: form });
  await settled(gateway);
  const { data } = await gateway.run(
    `query ($id: ID!) { customer(by: { id: $id }) { activity(last: 1) { nodes { id } } invoices { nodes { id lines { id } } }
      supportRequests { nodes { id files { id } } } orders { nodes { id lines { id } cancellations { id lines { id } } } } } }`,
    { id: customer.id },
  );
  const { activity, invoices, supportRequests, orders } = data.customer;
  const order = orders.nodes.find(({ id }: { id: string }) => id === software.order.id);
  const [cancellation] = orders.nodes.flatMap(({ cancellations }: { cancellations: object[] }) => cancellations);
  const { ReconciliationLine } = await aReconciledLine(gateway, invoices.nodes[0].lines[0].id);
  return {
    ...software,
    admin: await adminOf(gateway, customer),
    ids: {
      Customer: customer.id,
      Order: software.order.id,
      OrderLine: order.lines[0].id,
      Entitlement: software.entitlementId,
      ActivityEntry: activity.nodes[0].id,
      Invoice: invoices.nodes[0].id,
      InvoiceLine: invoices.nodes[0].lines[0].id,
      ReconciliationLine,
      SupportRequest: supportRequests.nodes[0].id,
      SupportFile: supportRequests.nodes[0].files[0].id,
      Cancellation: cancellation.id,
      CancellationLine: cancellation.lines[0].id,
    },
    marks: [
      customer.rowId,
      customer.tenantId,
      customer.domain,
      software.order.number,
      software.order.id.slice(4),
      software.entitlementId.slice(4),
    ],
  };
}

/** The answer as it came, to compare to the byte. */
export async function rawAnswer(gateway: TestGateway, query: string, variables: object, as: Caller): Promise<string> {
  const token = typeof as === 'string' ? await gateway.token(as) : as.token;
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  return `${response.status} ${await response.text()}`;
}

/** The answer to a query over a socket, where it is executed field by field. */
export async function overSocket(
  gateway: TestGateway,
  query: string,
  variables: Record<string, unknown>,
  as: Caller | null,
) {
  const stream = await gateway.subscribe(query, variables, as as Caller);
  const message = await stream.next();
  await stream.end();
  return message;
}
