import { contract } from './contract.js';
import type { TestGateway } from './gateway.js';
import type { TestTenant } from './tenants.js';

/** Tables with rows of customers, and which rows are one's; `$` stands for the customer's id. */
const tables: Record<string, string> = {
  customers: 'id = $',
  orders: 'customer_id = $',
  order_lines: 'order_id in (select id from orders where customer_id = $)',
  entitlements: 'customer_id = $',
  product_keys: 'entitlement_id in (select id from entitlements where customer_id = $)',
  download_links: 'entitlement_id in (select id from entitlements where customer_id = $)',
  download_uses:
    'link_id in (select id from download_links where entitlement_id in (select id from entitlements where customer_id = $))',
  cancellations: 'customer_id = $',
  cancellation_lines: 'cancellation_id in (select id from cancellations where customer_id = $)',
  invoices: 'customer_id = $',
  invoice_lines: 'invoice_id in (select id from invoices where customer_id = $)',
  ledger_entries: 'customer_id = $',
  reconciliation_lines: 'customer_id = $',
  upstream_customers: 'customer_id = $',
  upstream_lines:
    'order_line_id in (select id from order_lines where order_id in (select id from orders where customer_id = $))',
  upstream_intents: 'order_id in (select id from orders where customer_id = $)',
  support_requests: 'customer_id = $',
  support_files: 'support_request_id in (select id from support_requests where customer_id = $)',
  support_notes: 'support_request_id in (select id from support_requests where customer_id = $)',
  activity_entries: 'customer_id = $',
  sales_by_customer: 'customer_id = $',
  sessions: 'tenant_id = (select tenant_id from customers where id = $)',
  known_users: 'tenant_id = (select tenant_id from customers where id = $)',
};
/** Tables whose rows are no customer's. */
const others = [
  ...[
    'markets',
    'market_closures',
    'cancellation_policies',
    'products',
    'skus',
    'software_versions',
    'prices',
    'migrations',
  ],
  ...['access_revocations', 'activity_seals', 'database_incarnation', 'encryption_canaries', 'gateway_processes'],
  ...['product_key_pool', 'product_key_shortages', 'fingerprint_secret', 'reconciliations', 'statement_lines'],
  ...['idempotency_keys', 'rate_limits', 'refused_attempts', 'sales_by_product', 'sales_deltas'],
  ...['month_closings', 'invoice_series', 'partner_center_sign_ins', 'upstream_records', 'upstream_syncs'],
];
/** What an entry of the log says of who acted: of a stranger, it is not for the entry's owner. */
const ofActor = ['actor', 'application', 'actor_issuer', 'actor_tenant_id', 'actor_object_id', 'correlation_id'];

/** What an entry says of a refused attempt is the name of a mutation, which is everybody's. */
const mutations = new Set(contract['Mutation']?.map((field) => field.replace(/\(.*/, '').toLowerCase()));

const SHORTEST = 6;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const TOKEN = /[\w.@:+-]{6,}/g;
const BASE64 = /[A-Za-z0-9+/_-]{16,}={0,2}/g;

/** Values of a tenant's rows as text, in lower case: its own, and what they say of strangers. */
export interface TenantValues {
  own: Set<string>;
  strangers: Set<string>;
}

/** Every value of every row of a customer. @throws where a table is new: say whose rows it has */
export async function valuesOf(gateway: TestGateway, { customer }: TestTenant): Promise<TenantValues> {
  const found = await gateway.sql<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  const unknown = found.map(({ name }) => name).filter((name) => !(name in tables) && !others.includes(name));
  if (unknown.length > 0) throw new Error(`say in test/support/marks.ts whose rows these have: ${unknown}`);
  const values: TenantValues = { own: new Set(), strangers: new Set() };
  for (const [table, condition] of Object.entries(tables)) {
    const where = condition.replaceAll('$', `'${customer.rowId}'`);
    const isStranger =
      table === 'activity_entries'
        ? `"row".actor_role = 'CUSTOMER_ADMIN' and "row".actor_tenant_id <> '${customer.tenantId}'`
        : 'false';
    const rows = await gateway.sql<{ key: string; value: string | null; stranger: boolean }>(
      `select key, value, ${isStranger} as stranger from (select * from ${table} where ${where}) as "row", jsonb_each_text(to_jsonb("row"))`,
    );
    for (const { key, value, stranger } of rows)
      for (const text of textsOf(value)) (stranger && ofActor.includes(key) ? values.strangers : values.own).add(text);
  }
  return values;
}

/** The forms in which a column's text may be told. */
function textsOf(value: string | null): string[] {
  if (value === null) return [];
  if (/^[{[]/.test(value)) {
    try {
      return Object.values(JSON.parse(value) as object).flatMap((part) =>
        textsOf(typeof part === 'object' ? JSON.stringify(part) : String(part)),
      );
    } catch {
      return [];
    }
  }
  const isInstant = /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/.test(value);
  const text = (isInstant ? new Date(value).toISOString() : value).toLowerCase();
  return text.length < SHORTEST ? [] : [text];
}

/** What must not be told to somebody: words that are in every text, and values as a whole. */
export class Marks {
  constructor(
    private readonly words: readonly string[],
    readonly values: ReadonlySet<string>,
  ) {}

  /** The marks that are in a text, in what its cursors hold, and in ids and other parts of it. */
  in(text: string): string[] {
    const lower = text.toLowerCase();
    const found = this.words.filter((word) => lower.includes(word));
    for (const pattern of [UUID, TOKEN])
      for (const [token] of lower.matchAll(pattern)) if (this.values.has(token)) found.push(token);
    for (const [token] of text.matchAll(BASE64)) {
      const inside = Buffer.from(token, 'base64').toString('utf8');
      // Positions in the log are those of all entries: see src/activity-log/README.md.
      if (inside.startsWith('["') && !inside.startsWith('["feed:')) found.push(...this.in(inside.slice(1)));
    }
    return [...new Set(found)];
  }
}

/** What one tenant must not be told of another: all its values but those that both have. */
export function marksOf(word: string, own: TenantValues, theirs: TenantValues, more: Iterable<string> = []): Marks {
  const values = [...theirs.own, ...own.strangers, ...more].map((value) => value.toLowerCase());
  return new Marks([word], new Set(values.filter((value) => !own.own.has(value) && !mutations.has(value))));
}
