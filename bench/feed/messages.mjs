/** What subscribers ask for, of every server alike. */
export const query = `subscription Feed { activity { __typename ... on ActivityRecorded { cursor entry {
  id action at actor { userPrincipalName } resource { label } customer { id companyName } } } } }`;

/** The peers' schema: as much of the product's as the subscription needs. */
export const typeDefs = `type Query { ok: Boolean }
type Subscription { activity: ActivityFeedMessage! }
union ActivityFeedMessage = ActivityRecorded
type ActivityRecorded { cursor: String! entry: ActivityEntry! }
type ActivityEntry { id: ID! action: String! at: String! actor: Actor! resource: Resource! customer: Customer }
type Actor { userPrincipalName: String! }
type Resource { label: String! }
type Customer { id: ID! companyName: String! }`;

/** The customer of every entry. */
export const customer = { id: '01a20000-0000-7000-8000-000000000001', companyName: 'Subscribed Company' };
const CURSOR = `${'A'.repeat(88)}.${'B'.repeat(22)}`;

/** A message as the peers have it in memory; the product reads it from PostgreSQL. Its label is the instant it was due. */
export const messageAt = (due) => ({
  __typename: 'ActivityRecorded',
  cursor: CURSOR,
  entry: {
    id: `act_${customer.id}`,
    action: 'PRODUCT_KEY_REVEALED',
    at: new Date(due).toISOString(),
    actor: { userPrincipalName: 'anna@partner.example' },
    resource: { label: due.toFixed(3) },
    customer: { id: `cus_${customer.id}`, companyName: customer.companyName },
  },
});

/** SQL that commits one such entry; $1 is the label. */
export const insertEntry = `insert into activity_entries
  (id, action, outcome, actor, actor_role, customer_id, resource_type, resource_id, resource_label, correlation_id, detail)
  values (gen_random_uuid(), 'PRODUCT_KEY_REVEALED', 'SUCCEEDED', 'anna@partner.example', 'ADMIN_AGENT',
    '${customer.id}', 'ENTITLEMENT', 'ent', $1, gen_random_uuid(), '{"version": "2022"}')`;

/** SQL for the customer. */
export const insertCustomer = `insert into customers
  (id, tenant_id, domain, company_name, market_code, contact_first_name, contact_last_name, contact_email, created_at)
  values ('${customer.id}', gen_random_uuid(), 'subscribed.example', '${customer.companyName}', 'US', 'Pat', 'Doe', 'pat@subscribed.example', now())`;

/** Milliseconds since 1970, finer than Date. */
export const now = () => performance.timeOrigin + performance.now();

/** Calls `publish` with each instant due, `rate` times a second; a publisher that is late counts as latency. */
export async function publishAtRate(publish, rate, seconds) {
  const start = now() + 50;
  const total = rate * seconds;
  for (let done = 0; done < total; ) {
    const due = Math.min(total, Math.floor(((now() - start) / 1000) * rate) + 1);
    for (; done < due; done += 1) publish(start + (done * 1000) / rate);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
