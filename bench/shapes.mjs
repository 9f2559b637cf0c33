/*
 * The three shapes of the read path. Each is asked in three tongues: the gateway's contract,
 * the hand-written schema of the peers (`byHand`), and what PostGraphile makes of the tables. `limit` is the bare limit:
 * what a hand would write for that one answer, JSON built by PostgreSQL. `alike` brings any server's answer into one form.
 */

const instant = (column) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const sameInstant = (text) => (text === null ? null : new Date(text).toISOString());
/** The gateway's ids say their type, others' are the bare key. */
const sameId = (id) => id.replace(/^[a-z]+_/, '');
const nodes = (list) => list.nodes ?? list;

const customerPage = (page) =>
  nodes(page.customers).map((customer) => ({
    id: sameId(customer.id),
    companyName: customer.companyName,
    domain: customer.domain,
    market: customer.market?.code ?? customer.marketCode,
    orders: nodes(customer.orders).map((order) => ({
      id: sameId(order.id),
      number: order.number,
      status: order.status,
      placedAt: sameInstant(order.placedAt),
      amount: order.total?.amount ?? order.amount,
      currency: order.total?.currency ?? order.currency,
      lines: nodes(order.lines).map(({ lineNumber, quantity, sku, entitlement }) => ({
        lineNumber,
        quantity,
        sku: [sku.skuId, sku.title, sku.kind, sku.product.productId, sku.product.title],
        entitlement: entitlement && [sameId(entitlement.id), entitlement.status, sameInstant(entitlement.expiresAt)],
      })),
    })),
  }));

const onePoint = ({ customer: { id, companyName, domain } }) => [sameId(id), companyName, domain];

const activityPage = (page) =>
  nodes(page.activity).map((entry) => ({
    id: sameId(entry.id),
    at: sameInstant(entry.at),
    action: entry.action,
    actor: entry.actor.userPrincipalName ?? entry.actor,
    resource: entry.resource?.label ?? entry.resourceLabel,
    customer: entry.customer?.companyName ?? null,
  }));

export const shapes = {
  nested: {
    title: 'nested page: 20 customers from anywhere in the list, 5 newest orders each, lines, product, entitlement',
    gateway: {
      query: `query Nested($first: Int!, $after: String) { customers(first: $first, after: $after) { nodes { id companyName domain market { code }
        orders(first: 5) { nodes { id number status placedAt total { amount currency }
          lines { lineNumber quantity sku { skuId title kind product { productId title } } entitlement { id status expiresAt } } } } } } }`,
      variables: ({ gatewayCursor }) => ({ first: 20, after: gatewayCursor }),
    },
    byHand: {
      query: `query Nested($first: Int!, $afterName: String!, $afterId: ID!) { customers(first: $first, afterName: $afterName, afterId: $afterId) { id companyName domain marketCode
        orders(first: 5) { id number status placedAt amount currency
          lines { lineNumber quantity sku { skuId title kind product { productId title } } entitlement { id status expiresAt } } } } }`,
      variables: ({ afterName, afterId }) => ({ first: 20, afterName, afterId }),
    },
    postgraphile: {
      query: `query Nested($first: Int!, $after: Cursor!) { customers: allCustomers(first: $first, after: $after, orderBy: [COMPANY_NAME_ASC, ROW_ID_ASC]) { nodes { id: rowId companyName domain marketCode
        orders: ordersByCustomerId(first: 5, orderBy: [PLACED_AT_DESC, ROW_ID_DESC]) { nodes { id: rowId number status placedAt amount: total currency
          lines: orderLinesByOrderId(orderBy: [LINE_NUMBER_ASC]) { nodes { lineNumber quantity sku: skusBySkuId { skuId title kind product: productByProductId { productId title } }
            entitlement: entitlementByOrderLineId { id: rowId status: currentStatus expiresAt } } } } } } } }`,
      variables: ({ postgraphileCursor }) => ({ first: 20, after: postgraphileCursor }),
    },
    parameters: ({ afterName, afterId }) => [afterName, afterId],
    limit: `select json_build_object('customers', json_build_object('nodes', coalesce(json_agg(c.node order by c.company_name, c.id), '[]')))::text
      from (select c.company_name, c.id, json_build_object(
          'id', 'cus_' || c.id, 'companyName', c.company_name, 'domain', c.domain, 'market', json_build_object('code', c.market_code),
          'orders', json_build_object('nodes', (select coalesce(json_agg(o.node order by o.placed_at desc, o.id desc), '[]') from (
            select o.placed_at, o.id, json_build_object('id', 'ord_' || o.id, 'number', o.number, 'status', o.status, 'placedAt', ${instant('o.placed_at')},
              'total', json_build_object('amount', o.total::text, 'currency', o.currency),
              'lines', (select coalesce(json_agg(json_build_object('lineNumber', l.line_number, 'quantity', l.quantity,
                'sku', json_build_object('skuId', s.sku_id, 'title', s.title, 'kind', s.kind, 'product', json_build_object('productId', p.product_id, 'title', p.title)),
                'entitlement', case when e.id is not null then json_build_object('id', 'ent_' || e.id, 'status', case when e.status = 'ACTIVE' and e.expires_at <= now() then 'EXPIRED' else e.status end, 'expiresAt', ${instant('e.expires_at')}) end) order by l.line_number), '[]')
                from order_lines l join skus s on s.id = l.sku_id join products p on p.id = s.product_id left join entitlements e on e.order_line_id = l.id where l.order_id = o.id)) node
            from orders o where o.customer_id = c.id order by o.placed_at desc, o.id desc limit 5) o))) node
        from customers c where (c.company_name, c.id) > ($1, $2::uuid) order by c.company_name, c.id limit 20) c`,
    alike: customerPage,
    isFull: (rows) => rows.length === 20,
  },
  point: {
    title: 'point read: one customer by domain, 3 fields',
    gateway: {
      query: 'query Point($domain: String!) { customer(by: { domain: $domain }) { id companyName domain } }',
      variables: ({ domain }) => ({ domain }),
    },
    byHand: {
      query: 'query Point($domain: String!) { customer(domain: $domain) { id companyName domain } }',
      variables: ({ domain }) => ({ domain }),
    },
    postgraphile: {
      query:
        'query Point($domain: String!) { customer: customerByDomain(domain: $domain) { id: rowId companyName domain } }',
      variables: ({ domain }) => ({ domain }),
    },
    parameters: ({ domain }) => [domain],
    limit: `select json_build_object('customer', (select json_build_object('id', 'cus_' || id, 'companyName', company_name, 'domain', domain) from customers where domain = $1))::text`,
    alike: onePoint,
    isFull: (fields) => fields.length === 3,
  },
  activity: {
    title: 'activity page: 100 newest entries of an action in a range of 30 days, with the customer’s name',
    gateway: {
      query: `query Activity($actions: [ActivityAction!], $from: DateTime, $to: DateTime) {
        activity(filter: { actions: $actions, from: $from, to: $to }, first: 100, orderBy: { direction: DESC }) {
          nodes { id at action actor { userPrincipalName } resource { label } customer { companyName } } } }`,
      variables: ({ action, from, to }) => ({ actions: [action], from, to }),
    },
    byHand: {
      query: `query Activity($action: String!, $from: String!, $to: String!) {
        activity(action: $action, from: $from, to: $to, first: 100) { id at action actor resourceLabel customer { companyName } } }`,
      variables: ({ action, from, to }) => ({ action, from, to }),
    },
    postgraphile: {
      query: `query Activity($action: String!, $from: Datetime!, $to: Datetime!) {
        activity: activityPage(action: $action, from: $from, to: $to, first: 100) { nodes { id: rowId at action actor resourceLabel customer: customerByCustomerId { companyName } } } }`,
      variables: ({ action, from, to }) => ({ action, from, to }),
    },
    parameters: ({ action, from, to }) => [action, from, to],
    limit: `select json_build_object('activity', json_build_object('nodes', coalesce(json_agg(json_build_object('id', 'act_' || a.id, 'at', ${instant('a.at')}, 'action', a.action,
        'actor', json_build_object('userPrincipalName', a.actor), 'resource', json_build_object('label', a.resource_label),
        'customer', case when c.id is null then null else json_build_object('companyName', c.company_name) end) order by a.xid desc, a.seq desc), '[]')))::text
      from (select * from activity_entries where action = $1 and at >= $2::timestamptz and at < $3::timestamptz order by xid desc, seq desc limit 100) a
      left join customers c on c.id = a.customer_id`,
    alike: activityPage,
    isFull: (rows) => rows.length === 100,
  },
};
