import { type Answer, type Call, ok, Refusal, type Route, tokenPage } from './call.js';
import type { AuditRecord } from './state.js';
import type { World } from './world.js';

const DAY_MS = 86_400_000;
const MOST_DAYS_BACK = 90;
const MOST_DAYS_AT_ONCE = 30;

export const auditRoutes: Route[] = [
  { method: 'GET', pattern: '/v1/auditrecords', handle: list },
  { method: 'GET', pattern: '/auditactivity/v1/auditrecords/:record', handle: single },
];

function list(call: Call): Answer {
  const { world, query } = call;
  const from = dayOf(query.get('startDate'), world.now());
  const until = dayOf(query.get('endDate'), world.now());
  if (from < world.now() - (MOST_DAYS_BACK + 1) * DAY_MS)
    throw new Refusal(400, '2001', `Audit records are kept for ${MOST_DAYS_BACK} days.`);
  if (until - from > MOST_DAYS_AT_ONCE * DAY_MS)
    throw new Refusal(400, '2001', `Ask for at most ${MOST_DAYS_AT_ONCE} days.`);
  const isAsked = filterOf(query.get('filter'));
  const found = world.state.audit.filter(
    (one) =>
      one.visibleMs <= world.now() && one.operationMs >= from && one.operationMs < until + DAY_MS && isAsked(one),
  );
  return ok(
    tokenPage(
      call,
      found.map((one) => show(world, one)),
      Number(query.get('size') ?? 500),
    ),
  );
}

/** Dates are days; the end counts in. */
function dayOf(text: string | null, now: number): number {
  const ms = text ? Date.parse(text) : now;
  if (Number.isNaN(ms)) throw new Refusal(400, '2000', 'The date cannot be read.');
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

function filterOf(text: string | null): (one: AuditRecord) => boolean {
  if (!text) return () => true;
  const { Field, Value } = JSON.parse(text) as Record<'Field' | 'Value', string>;
  const value = Value.toLowerCase();
  if (Field === 'CustomerId') return ({ customerId }) => customerId.toLowerCase() === value;
  if (Field === 'ResourceType') return ({ resourceType }) => resourceType.replaceAll('_', '') === value;
  if (Field === 'CompanyName') return ({ customerName }) => customerName.toLowerCase().includes(value);
  throw new Refusal(400, '2007', 'The field is not one that can be filtered by.');
}

function single({ world, ids }: Call): Answer {
  const found = world.state.audit.find(({ id, visibleMs }) => id === ids['record'] && visibleMs <= world.now());
  if (!found) throw new Refusal(404, '2000', 'The audit record was not found.');
  return ok(show(world, found));
}

function show(world: World, { operationMs, visibleMs: _, ...record }: AuditRecord) {
  return {
    ...record,
    partnerId: world.partnerId,
    operationDate: world.iso(operationMs),
    attributes: { objectType: 'AuditRecord' },
  };
}
