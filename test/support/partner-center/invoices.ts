import { gzipSync } from 'node:zlib';
import { showBillingLine } from './billing.js';
import { type Answer, type Call, GRAPH, offsetPage, ok, Refusal, type Route } from './call.js';
import type { Export, Invoice } from './state.js';
import type { World } from './world.js';

const HOUR_MS = 3_600_000;
/** How often an operation is running before it has succeeded. */
const POLLS = 2;
/** Lines of a file; small, so that there are several. */
const LINES_PER_FILE = 3;
const REPORTS = '/graph/v1.0/reports/partners/billing';

export const invoiceRoutes: Route[] = [
  {
    method: 'GET',
    pattern: '/v1/invoices',
    handle: (call) => {
      const { world } = call;
      return ok(
        offsetPage(
          call,
          world.state.invoices.map((one) => show(world, one)),
        ),
      );
    },
  },
  { method: 'GET', pattern: '/v1/invoices/:invoice', handle: (call) => ok(show(call.world, invoiceOf(call))) },
  { method: 'POST', pattern: `${REPORTS}/reconciliation/billed/export`, audience: GRAPH, handle: begin },
  { method: 'POST', pattern: `${REPORTS}/reconciliation/unbilled/export`, audience: GRAPH, handle: begin },
  { method: 'GET', pattern: `${REPORTS}/operations/:operation`, audience: GRAPH, handle: poll },
  { method: 'GET', pattern: '/blobs/:operation/:file', wants: 'nobody', handle: file },
];

function invoiceOf({ world, ids }: Call): Invoice {
  const found = world.state.invoices.find(({ id }) => id === ids['invoice']);
  if (!found) throw new Refusal(404, '2000', 'The invoice was not found.');
  return found;
}

const show = (world: World, { id, fromMs, toMs, total }: Invoice) => ({
  id,
  invoiceDate: world.iso(toMs),
  billingPeriodStartDate: world.iso(fromMs),
  billingPeriodEndDate: world.iso(toMs - 1),
  totalCharges: Number(total),
  paidAmount: 0,
  currencyCode: 'USD',
  currencySymbol: '$',
  pdfDownloadLink: `/invoices/${id}/documents/statement`,
  invoiceDetails: [{ invoiceLineItemType: 'billing_line_items', billingProvider: 'one_time' }],
  amendments: [],
  documentType: 'invoice',
  state: 'ready',
  invoiceType: 'OneTime',
  attributes: { objectType: 'Invoice' },
});

function begin({ world, body, base, path }: Call): Answer {
  const invoiceId = path.includes('unbilled') ? null : String(body['invoiceId']);
  if (invoiceId !== null && !world.state.invoices.some(({ id }) => id === invoiceId))
    return { status: 404, body: { error: { code: 'NotFound', message: 'The invoice was not found.' } } };
  const operation: Export = {
    id: world.guid(),
    invoiceId,
    polls: 0,
    createdMs: world.now(),
    hasFailed: world.faults.strikes('exportFails'),
  };
  world.state.exports[operation.id] = operation;
  const location = `${base}${REPORTS}/operations/${operation.id}`;
  return { status: 202, headers: { location, 'retry-after': String(world.options.retryAfterSeconds) } };
}

function poll({ world, ids, base }: Call): Answer {
  const operation = world.state.exports[ids['operation'] as string];
  if (!operation) return { status: 404, body: { error: { code: 'NotFound', message: 'No such operation.' } } };
  operation.polls += 1;
  const common = { id: operation.id, createdDateTime: world.iso(operation.createdMs).slice(0, 19) };
  const kindOf = (kind: string) => ({ '@odata.type': `#microsoft.graph.partners.billing.${kind}` });
  const headers = { 'retry-after': String(world.options.retryAfterSeconds) };
  if (operation.polls <= POLLS)
    return { status: 200, headers, body: { ...kindOf('runningOperation'), ...common, status: 'running' } };
  const lines = linesOf(world, operation);
  if (operation.hasFailed || lines.length === 0) {
    const error = { message: 'No data available', code: '5000' };
    return ok({ ...kindOf('failedOperation'), ...common, status: 'failed', error });
  }
  const version = world.state.invoices.find(({ id }) => id === operation.invoiceId)?.version ?? 1;
  const resourceLocation = {
    id: operation.id,
    schemaVersion: '2',
    dataFormat: 'compressedJSON',
    createdDateTime: common.createdDateTime,
    eTag: `${operation.invoiceId ?? 'unbilled'}-${version}`,
    partnerTenantId: world.partnerId,
    rootDirectory: `${base}/blobs/${operation.id}`,
    sasToken: 'sig=simulated',
    partitionType: 'default',
    blobCount: Math.ceil(lines.length / LINES_PER_FILE),
    blobs: Array.from({ length: Math.ceil(lines.length / LINES_PER_FILE) }, (_, index) => ({
      name: `part-${index}.json.gz`,
      partitionValue: String(index),
    })),
  };
  return ok({ ...kindOf('exportSuccessOperation'), ...common, status: 'succeeded', resourceLocation });
}

const linesOf = (world: World, { invoiceId }: Export) =>
  world.state.lines.filter((line) => line.invoiceId === invoiceId).map((line) => showBillingLine(world, line));

/** One of the files behind an export: gzip, an object in each line. Links die. */
function file({ world, ids, query }: Call): Answer {
  const operation = world.state.exports[ids['operation'] as string];
  if (query.get('sig') !== 'simulated') return { status: 403 };
  if (!operation || operation.createdMs + HOUR_MS <= world.now() || world.faults.strikes('exportLinksExpired'))
    return { status: 410 };
  const from = Number(/\d+/.exec(ids['file'] as string)?.[0]) * LINES_PER_FILE;
  const lines = linesOf(world, operation).slice(from, from + LINES_PER_FILE);
  return { status: 200, body: gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join('')) };
}
