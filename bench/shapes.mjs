import { readFileSync } from 'node:fs';

/** One operation of schema/operations with its fragments, as text. */
function operation(file, name) {
  const text = readFileSync(new URL(`../schema/operations/${file}.graphql`, import.meta.url), 'utf8');
  const start = text.indexOf(`query ${name}`);
  const end = text.indexOf('\n}\n', start);
  return text.slice(start, end + 2);
}

const instant = (column) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * The three shapes of performance.md section 1, on the gateway's own tables. `sql` is the bare limit: what a hand would
 * write for that one answer, JSON built by PostgreSQL, no GraphQL, no roles, no limits.
 */
export const shapes = [
  {
    name: 'nested page: 20 customers, 5 newest orders each, lines, product, entitlement',
    query: operation('customers', 'CustomersWithOrders'),
    variables: () => ({ first: 20 }),
    parameters: () => [20],
    sql: `select json_build_object('customers', json_build_object(
        'pageInfo', json_build_object('hasNextPage', count(*) > $1::int, 'endCursor', null),
        'nodes', json_agg(c.node order by c.company_name, c.id) filter (where c.i <= $1::int)))::text
      from (select c.company_name, c.id, row_number() over (order by c.company_name, c.id) i, json_build_object(
          'id', 'cus_' || c.id, 'companyName', c.company_name, 'domain', c.domain, 'market', json_build_object('code', c.market_code),
          'orders', json_build_object('nodes', (select coalesce(json_agg(o.node order by o.placed_at desc, o.id desc), '[]') from (
            select o.placed_at, o.id, json_build_object('id', 'ord_' || o.id, 'number', o.number, 'status', o.status, 'placedAt', ${instant('o.placed_at')},
              'total', json_build_object('amount', o.total::text, 'currency', o.currency),
              'lines', (select coalesce(json_agg(json_build_object('lineNumber', l.line_number, 'quantity', l.quantity,
                'sku', json_build_object('skuId', s.sku_id, 'title', s.title, 'kind', s.kind, 'product', json_build_object('productId', p.product_id, 'title', p.title)),
                'entitlement', json_build_object('id', 'ent_' || e.id, 'status', case when e.status = 'ACTIVE' and e.expires_at <= now() then 'EXPIRED' else e.status end, 'expiresAt', ${instant('e.expires_at')})) order by l.line_number), '[]')
                from order_lines l join skus s on s.id = l.sku_id join products p on p.id = s.product_id join entitlements e on e.order_line_id = l.id where l.order_id = o.id)) node
            from orders o where o.customer_id = c.id order by o.placed_at desc, o.id desc limit 5) o))) node
        from customers c order by c.company_name, c.id limit $1::int + 1) c`,
    // The bare limit makes no cursor.
    same: (answer) => JSON.stringify(answer, (key, value) => (key === 'endCursor' ? null : value)),
  },
  {
    name: 'point read: one customer by domain, 3 fields',
    query: 'query Point($domain: String!) { customer(by: { domain: $domain }) { id companyName domain } }',
    variables: (i, { domains }) => ({ domain: domains[i % domains.length] }),
    parameters: (i, { domains }) => [domains[i % domains.length]],
    sql: `select json_build_object('customer', (select json_build_object('id', 'cus_' || id, 'companyName', company_name, 'domain', domain) from customers where domain = $1))::text`,
    same: JSON.stringify,
  },
  {
    name: 'activity page: 100 entries by action and date range, with the customer’s name',
    query: operation('activity', 'ActivityPage'),
    variables: (_i, { from, to }) => ({ actions: ['SOFTWARE_DOWNLOADED'], from, to }),
    parameters: (_i, { from, to }) => ['SOFTWARE_DOWNLOADED', from, to],
    sql: `select json_build_object('activity', json_build_object('nodes', coalesce(json_agg(json_build_object('id', 'act_' || a.id, 'at', ${instant('a.at')}, 'action', a.action,
        'actor', json_build_object('userPrincipalName', a.actor), 'resource', json_build_object('label', a.resource_label),
        'customer', case when c.id is null then null else json_build_object('companyName', c.company_name) end) order by a.xid desc, a.seq desc), '[]')))::text
      from (select * from activity_entries where action = $1 and at >= $2::timestamptz and at < $3::timestamptz order by xid desc, seq desc limit 100) a
      left join customers c on c.id = a.customer_id`,
    same: JSON.stringify,
  },
];
