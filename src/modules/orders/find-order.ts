import { type AccessRule, reachOf } from '../../auth/access-rule.js';
import type { Viewer } from '../../auth/viewer.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { prepared } from '../../database/prepared.js';
import { query } from '../../database/query.js';
import { Problem } from '../../domain/problem.js';
import type { OrderStatus } from './order-status.js';
import { SOLD_LINE, type SoldLine, type SoldLineRow, soldLineOf } from './sold-line.js';

/** There is no such order, or it is not the viewer's: both look the same. */
export class OrderNotFound extends Problem {
  readonly code = 'ORDER_NOT_FOUND';
  readonly message = 'There is no such order. Find it with orders or order(by:).';
}

/** An order as use cases handle it. */
export interface FoundOrder {
  id: string;
  number: string;
  status: OrderStatus;
  currency: string;
  /** Decimal text. */
  total: string;
  placedBy: string;
  placedByRole: string | null;
  placedByIdentity: string | null;
  correlationId: string;
  customer: { id: string; tenantId: string; domain: string };
}

/** A `FoundOrder` out of an order `o` and its customer `c`. */
export const FOUND_ORDER = `jsonb_build_object('id', o.id, 'number', o.number, 'status', o.status, 'currency', o.currency,
  'total', o.total::text, 'placedBy', o.placed_by, 'placedByRole', o.placed_by_role,
  'placedByIdentity', o.placed_by_identity, 'correlationId', o.correlation_id,
  'customer', jsonb_build_object('id', c.id, 'tenantId', c.tenant_id, 'domain', c.domain)) as "order"`;

const REACHED = `o.id = $1 and ($2::uuid is null or c.tenant_id = $2)`;
const FIND = prepared(
  'order',
  `select ${FOUND_ORDER} from orders o join customers c on c.id = o.customer_id where ${REACHED}`,
);
const WITH_LINES = `select ${FOUND_ORDER}, ${SOLD_LINE} from orders o join customers c on c.id = o.customer_id
  join order_lines l on l.order_id = o.id join skus s on s.id = l.sku_id join products p on p.id = s.product_id
  where ${REACHED} order by l.line_number`;
const FIND_WITH_LINES = prepared('order with lines', WITH_LINES);

/** An order with its lines, by their numbers. */
export interface OrderWithLines {
  order: FoundOrder;
  lines: SoldLine[];
}

/** The order, if the viewer may use the rule's field on it. */
export async function findOrder(em: Em, viewer: Viewer, id: string, rule: AccessRule): Promise<FoundOrder | null> {
  const reach = reachOf(rule, viewer);
  if (!reach) return null;
  const [found] = await query<{ order: FoundOrder }>(em, FIND, [id, reach.tenantId]);
  return found?.order ?? null;
}

/** The same with its lines, in one statement. */
export async function findOrderWithLines(
  em: Em,
  viewer: Viewer,
  id: string,
  rule: AccessRule,
): Promise<OrderWithLines | null> {
  const reach = reachOf(rule, viewer);
  return reach && withLines(await query<WithLine>(em, FIND_WITH_LINES, [id, reach.tenantId]));
}

/**
 * The same to be changed: every use case on an order takes this lock first, so two of them wait for each other instead of
 * acting on the same lines (rule 19). The lines are locked too, so that they are as they are once the order is.
 */
export async function lockOrderWithLines(
  em: Em,
  viewer: Viewer,
  id: string,
  rule: AccessRule,
): Promise<OrderWithLines | null> {
  const reach = reachOf(rule, viewer);
  return reach && lockRows(em, id, reach.tenantId);
}

/** The order with its lines, for what the gateway does by itself; null where there is none. */
export async function readOrder(em: Em, id: string): Promise<OrderWithLines | null> {
  return withLines(await query<WithLine>(em, FIND_WITH_LINES, [id, null]));
}

/** The same to be changed. */
export const lockOrder = (em: Em, id: string) => lockRows(em, id, null);

async function lockRows(em: Em, id: string, tenantId: string | null): Promise<OrderWithLines | null> {
  inLockOrder(em, 'ORDER');
  const locking = prepared('order to change', `${WITH_LINES} for update of o, l`);
  return withLines(await query<WithLine>(em, locking, [id, tenantId]));
}

type WithLine = SoldLineRow & { order: FoundOrder };

function withLines(rows: WithLine[]): OrderWithLines | null {
  const [first] = rows;
  return first ? { order: first.order, lines: rows.map(({ order: _, ...line }) => soldLineOf(line)) } : null;
}
