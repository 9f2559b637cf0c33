import DataLoader from 'dataloader';
import pg from 'pg';

/*
 * What a careful hand writes for the peers that leave reading to their users: SQL by relation as named prepared
 * statements on a pool of 10, batched. No tokens, no roles, no limits, and flatter answers than the gateway's: all in
 * the peers' favour.
 */

// The connections say UTC: an instant needs no Date, only the ISO form.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => {
  const [seconds, fraction = ''] = text.slice(0, -3).split('.');
  return `${seconds.replace(' ', 'T')}.${fraction.padEnd(3, '0')}Z`;
});

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: 10,
  idleTimeoutMillis: 0,
  options: '-c timezone=UTC',
});
const rowsOf = async (name, values) => (await pool.query({ name, text: statements[name], values })).rows;

const customerColumns = 'id, company_name as "companyName", domain, market_code as "marketCode"';
const orderColumns =
  'id, customer_id as "customerId", number, status, placed_at as "placedAt", total as amount, currency';
const statements = {
  customers: `select ${customerColumns} from customers where (company_name, id) > ($1, $2::uuid) order by company_name, id limit $3`,
  customerByDomain: `select ${customerColumns} from customers where domain = $1`,
  customersById: `select ${customerColumns} from customers where id = any($1::uuid[])`,
  orders: `select o.* from unnest($1::uuid[]) c(id) cross join lateral (select ${orderColumns} from orders where customer_id = c.id order by placed_at desc, orders.id desc limit $2) o`,
  ordersOfOne: `select ${orderColumns} from orders where customer_id = $1 order by placed_at desc, id desc limit $2`,
  lines: `select id, order_id as "orderId", line_number as "lineNumber", quantity, sku_id as "skuKey" from order_lines where order_id = any($1::uuid[]) order by order_id, line_number`,
  skus: `select id, sku_id as "skuId", title, kind, product_id as "productKey" from skus where id = any($1::uuid[])`,
  products: `select id, product_id as "productId", title from products where id = any($1::uuid[])`,
  entitlements: `select id, order_line_id as "orderLineId", case when status = 'ACTIVE' and expires_at <= now() then 'EXPIRED' else status end as status, expires_at as "expiresAt" from entitlements where order_line_id = any($1::uuid[])`,
  activity: `select id, at, action, actor, resource_label as "resourceLabel", customer_id as "customerId" from activity_entries where action = $1 and at >= $2 and at < $3 order by xid desc, seq desc limit $4`,
};

/** Rows that belong to each key, in the keys' order. */
function grouped(keys, rows, key) {
  const groups = new Map(keys.map((value) => [value, []]));
  for (const row of rows) groups.get(row[key]).push(row);
  return keys.map((value) => groups.get(value));
}

/** The one row of each key, in the keys' order. */
function matched(keys, rows, key) {
  const found = new Map(rows.map((row) => [row[key], row]));
  return keys.map((value) => found.get(value) ?? null);
}

/** Reads for many parents at once: `batch.lines(orderIds)` answers a list for each. */
export const batch = {
  orders: async (customerIds, first) =>
    grouped(customerIds, await rowsOf('orders', [customerIds, first]), 'customerId'),
  lines: async (orderIds) => grouped(orderIds, await rowsOf('lines', [orderIds]), 'orderId'),
  sku: async (ids) => matched(ids, await rowsOf('skus', [[...new Set(ids)]]), 'id'),
  product: async (ids) => matched(ids, await rowsOf('products', [[...new Set(ids)]]), 'id'),
  entitlement: async (lineIds) => matched(lineIds, await rowsOf('entitlements', [lineIds]), 'orderLineId'),
  customer: async (ids) => matched(ids, await rowsOf('customersById', [[...new Set(ids)]]), 'id'),
};

/** Reads of the root fields. */
export const root = {
  customers: (_, { afterName, afterId, first }) => rowsOf('customers', [afterName, afterId, first]),
  customer: async (_, { domain }) => (await rowsOf('customerByDomain', [domain]))[0] ?? null,
  activity: (_, { action, from, to, first }) => rowsOf('activity', [action, from, to, first]),
};

/** Loaders of one request. */
export function createLoaders() {
  const orders = new Map();
  return {
    orders(first) {
      if (!orders.has(first)) orders.set(first, new DataLoader((ids) => batch.orders(ids, first)));
      return orders.get(first);
    },
    lines: new DataLoader(batch.lines),
    sku: new DataLoader(batch.sku),
    product: new DataLoader(batch.product),
    entitlement: new DataLoader(batch.entitlement),
    customer: new DataLoader(batch.customer),
  };
}

/** Resolvers over the loaders of the request's context. */
export const loading = {
  Query: root,
  Customer: { orders: ({ id }, { first }, { loaders }) => loaders.orders(first).load(id) },
  Order: { lines: ({ id }, _, { loaders }) => loaders.lines.load(id) },
  OrderLine: {
    sku: ({ skuKey }, _, { loaders }) => loaders.sku.load(skuKey),
    entitlement: ({ id }, _, { loaders }) => loaders.entitlement.load(id),
  },
  Sku: { product: ({ productKey }, _, { loaders }) => loaders.product.load(productKey) },
  ActivityEntry: {
    customer: ({ customerId }, _, { loaders }) => (customerId === null ? null : loaders.customer.load(customerId)),
  },
};

/** Resolvers as tutorials write them: each field of each row asks by itself. */
export const oneByOne = {
  Query: root,
  Customer: { orders: ({ id }, { first }) => rowsOf('ordersOfOne', [id, first]) },
  Order: { lines: ({ id }) => rowsOf('lines', [[id]]) },
  OrderLine: {
    sku: async ({ skuKey }) => (await batch.sku([skuKey]))[0],
    entitlement: async ({ id }) => (await batch.entitlement([id]))[0],
  },
  Sku: { product: async ({ productKey }) => (await batch.product([productKey]))[0] },
  ActivityEntry: {
    customer: async ({ customerId }) => (customerId === null ? null : (await batch.customer([customerId]))[0]),
  },
};

export const typeDefs = /* GraphQL */ `
  type Query {
    customers(afterName: String!, afterId: ID!, first: Int!): [Customer!]!
    customer(domain: String!): Customer
    activity(action: String!, from: String!, to: String!, first: Int!): [ActivityEntry!]!
  }
  type Customer {
    id: ID!
    companyName: String!
    domain: String!
    marketCode: String!
    orders(first: Int!): [Order!]!
  }
  type Order {
    id: ID!
    number: String!
    status: String!
    placedAt: String!
    amount: String!
    currency: String!
    lines: [OrderLine!]!
  }
  type OrderLine {
    lineNumber: Int!
    quantity: Int!
    sku: Sku!
    entitlement: Entitlement
  }
  type Sku {
    skuId: String!
    title: String!
    kind: String!
    product: Product!
  }
  type Product {
    productId: String!
    title: String!
  }
  type Entitlement {
    id: ID!
    status: String!
    expiresAt: String
  }
  type ActivityEntry {
    id: ID!
    at: String!
    action: String!
    actor: String!
    resourceLabel: String!
    customer: Customer
  }
`;
