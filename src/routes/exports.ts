import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { activityReaders } from '../auth/role-sets.js';
import type { Authenticate } from '../auth/tokens.js';
import { hasRole } from '../auth/viewer.js';
import type { Services } from '../context.js';
import { ownCustomerScope } from '../feed/activity-stream.js';
import type { FeedFilter } from '../feed/feed-entry.js';
import { parseGlobalId } from '../global-id.js';
import { ErrorCode } from '../graphql/errors.js';
import { DateTimeScalar } from '../graphql/scalars.js';
import { requireValidToken } from '../http.js';
import { ActivityAction } from '../modules/activity/activity-action.js';
import { type ExportedEntry, exportActivity, exportColumns } from '../modules/activity/export-activity.js';

const instant = z.string().transform((text, context) => {
  try {
    return DateTimeScalar.parseValue(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});
const idOf = (type: 'Customer' | 'Order') =>
  z.string().transform((globalId, context) => {
    const parsed = parseGlobalId(globalId);
    if (parsed?.type === type) return parsed.id;
    context.addIssue({ code: 'custom', message: `must be an id of type ${type}, as the graph gives it` });
    return z.NEVER;
  });
const text = z.string().regex(/^[^\0]{1,200}$/, 'must be 1 to 200 characters');

/** The same filter as `Query.activity` takes, as query parameters; `actions` joined by commas. */
const filterParameters = z.strictObject({
  from: instant.optional(),
  to: instant.optional(),
  actions: z
    .string()
    .transform((names) => names.split(','))
    .pipe(z.array(z.enum(ActivityAction, { error: `must be some of ${Object.keys(ActivityAction).join(',')}` })))
    .optional(),
  actor: text.optional(),
  customerId: idOf('Customer').optional(),
  orderId: idOf('Order').optional(),
  productId: text.optional(),
});

/** `/exports/activity.csv` and `.jsonl`: the activity log as a file, by the same filter and rights as `Query.activity`. */
export function serveExports(app: FastifyInstance, services: Services, authenticate: Authenticate): void {
  for (const format of ['csv', 'jsonl'] as const) {
    app.get(
      `/exports/activity.${format}`,
      { preHandler: requireValidToken(services, authenticate) },
      async (request, reply) => {
        const { viewer } = request;
        const refuse = (status: number, code: string, message: string) =>
          reply.code(status).send({ errors: [{ message, extensions: { code } }] });
        if (viewer.subject === '')
          return refuse(401, ErrorCode.UNAUTHENTICATED, 'Send a token: Authorization: Bearer …');
        if (!hasRole(viewer, activityReaders))
          return refuse(403, ErrorCode.FORBIDDEN, `The activity log is for ${activityReaders.join(', ')}.`);
        const parsed = filterParameters.safeParse(request.query);
        if (!parsed.success) {
          return refuse(
            400,
            ErrorCode.BAD_USER_INPUT,
            parsed.error.issues.map((issue) => `${issue.path.join('.') || 'query'}: ${issue.message}`).join('; '),
          );
        }
        const { from, to, ...rest } = parsed.data;
        const filter: FeedFilter = {
          ...rest,
          from: from ?? null,
          to: to ?? null,
          ...(await ownCustomerScope(services, viewer)),
        };
        return reply
          .header('content-type', format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8')
          .header('content-disposition', `attachment; filename="activity.${format}"`)
          .header('cache-control', 'no-store')
          .send(Readable.from(lines(services, filter, format)));
      },
    );
  }
}

async function* lines(services: Services, filter: FeedFilter, format: 'csv' | 'jsonl'): AsyncGenerator<string> {
  if (format === 'csv') yield stringify([exportColumns as string[]]);
  for await (const entries of exportActivity(services.kysely, filter, services.feed.position)) {
    yield format === 'csv' ? csvOf(entries) : entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  }
}

/** Cells that a spreadsheet would run as a formula are made text by a leading apostrophe. */
function csvOf(entries: ExportedEntry[]): string {
  return stringify(
    entries.map((entry) => exportColumns.map((column) => entry[column])),
    { escape_formulas: true },
  );
}
