import {
  type Answer,
  type Call,
  created,
  isSame,
  link,
  offsetPage,
  ok,
  onePage,
  Refusal,
  type Route,
  tokenPage,
} from './call.js';
import type { Customer } from './state.js';

/** What a sandbox has room for. */
const SANDBOX_CUSTOMERS = 75;

export const customerRoutes: Route[] = [
  { method: 'GET', pattern: '/v1/customers', handle: list },
  { method: 'POST', pattern: '/v1/customers', handle: add },
  { method: 'GET', pattern: '/v1/customers/:customer', handle: (call) => ok(whole(customerOf(call))) },
  { method: 'PATCH', pattern: '/v1/customers/:customer', handle: endRelationship },
  { method: 'DELETE', pattern: '/v1/customers/:customer', handle: remove },
  { method: 'PUT', pattern: '/v1/customers/:customer/profiles/billing', handle: updateProfile },
];

/** The customer of a call. @throws {Refusal} 1000 where there is none, 20002 where the relationship has ended */
export function customerOf({ world, ids }: Call): Customer {
  const found = world.state.customers.find(({ id }) => isSame(id, ids['customer'] as string));
  if (!found) throw new Refusal(404, '1000', 'The customer was not found.');
  return found;
}

/** The customer, where the partner may buy for them. */
export function resellerCustomerOf(call: Call): Customer {
  const customer = customerOf(call);
  if (customer.relationshipToPartner !== 'reseller')
    throw new Refusal(403, '20002', 'There is no reseller relationship with the customer.');
  return customer;
}

function list(call: Call): Answer {
  const { world, query } = call;
  if (!query.has('size')) throw new Refusal(400, '2003', 'The page size is missing.');
  const filter = query.get('filter');
  if (!filter) return ok(tokenPage(call, world.state.customers.map(short), Number(query.get('size'))));
  const { Field, Value, Operator } = JSON.parse(filter) as Record<'Field' | 'Value' | 'Operator', string>;
  if (Operator !== 'starts_with') throw new Refusal(400, '2007', 'The operator is not supported for this field.');
  const textOf = ({ domain, companyName }: Customer) => (Field === 'Domain' ? domain : companyName);
  const found = world.state.customers.filter((one) => textOf(one).toLowerCase().startsWith(Value.toLowerCase()));
  return ok(offsetPage(call, found.map(short)));
}

function short({ id, domain, companyName, relationshipToPartner }: Customer) {
  return {
    id,
    companyProfile: { tenantId: id, domain, companyName, attributes: { objectType: 'CustomerCompanyProfile' } },
    relationshipToPartner,
    links: { self: link(`/customers/${id}`) },
    attributes: { objectType: 'Customer' },
  };
}

function whole(customer: Customer) {
  const { commerceId, email, companyName, country, billingEtag } = customer;
  return {
    ...short(customer),
    commerceId,
    billingProfile: {
      id: commerceId,
      firstName: 'Ida',
      lastName: 'Holm',
      email,
      culture: 'en-US',
      language: 'en',
      companyName,
      defaultAddress: { country, city: 'Exampleton', addressLine1: '1 Pier', postalCode: '0150' },
      attributes: { etag: billingEtag, objectType: 'CustomerBillingProfile' },
    },
    allowDelegatedAccess: true,
  };
}

function add({ world, body }: Call): Answer {
  const { state, options } = world;
  if (options.isSandbox && state.customers.length >= SANDBOX_CUSTOMERS)
    throw new Refusal(403, '800018', `A sandbox has at most ${SANDBOX_CUSTOMERS} customers.`);
  const profile = (body['companyProfile'] ?? {}) as Record<string, string>;
  const billing = (body['billingProfile'] ?? {}) as { email?: string; companyName?: string };
  const domain = profile['domain'];
  if (!domain) throw new Refusal(400, '2000', 'The domain is missing.');
  if (state.customers.some((one) => isSame(one.domain, domain)))
    throw new Refusal(409, '600061', 'The domain is taken.');
  const customer: Customer = {
    id: world.guid(),
    commerceId: world.guid(),
    domain,
    companyName: profile['companyName'] ?? billing.companyName ?? domain,
    country: 'US',
    email: billing.email ?? `admin@${domain}`,
    relationshipToPartner: 'reseller',
    billingEtag: world.hex(8),
  };
  state.customers.push(customer);
  const value = { CompanyName: customer.companyName };
  world.record({ customerId: customer.id, resourceType: 'customer', operationType: 'add_customer', value });
  return created({ ...whole(customer), userCredentials: { userName: 'admin', password: world.hex(12) } });
}

function endRelationship(call: Call): Answer {
  const customer = customerOf(call);
  if (call.body['relationshipToPartner'] !== 'none')
    throw new Refusal(400, '2000', 'Only ending the relationship is supported.');
  customer.relationshipToPartner = 'none';
  const customerId = customer.id;
  const operationType = 'remove_partner_customer_relationship';
  call.world.record({ customerId, resourceType: 'partner_customer_relationship', operationType, value: {} });
  return ok(short(customer));
}

function remove(call: Call): Answer {
  const { world } = call;
  const customer = customerOf(call);
  if (!world.options.isSandbox) throw new Refusal(403, '90000', 'Customers are deleted in a sandbox only.');
  const isLive = world.state.orders.some(
    (order) => order.customerId === customer.id && order.lines.some(({ cancelledMs }) => cancelledMs === null),
  );
  if (isLive) throw new Refusal(400, '2000', 'The customer has active orders.');
  world.state.customers = world.state.customers.filter((one) => one !== customer);
  world.record({ customerId: customer.id, resourceType: 'customer', operationType: 'delete_customer', value: {} });
  return { status: 204 };
}

function updateProfile(call: Call): Answer {
  const { world, body, header } = call;
  const customer = customerOf(call);
  if (header('if-match')?.replaceAll('"', '') !== customer.billingEtag)
    throw new Refusal(400, '2055', 'The etag is stale: the resource was changed meanwhile.');
  customer.email = String(body['email'] ?? '');
  customer.companyName = String(body['companyName'] ?? customer.companyName);
  customer.billingEtag = world.hex(8);
  const operationType = 'update_customer_billing_profile';
  world.record({ customerId: customer.id, resourceType: 'customer', operationType, value: body });
  return ok(whole(customer).billingProfile);
}

/** A collection with everything on one page, at the address of the call. */
export const collection = ({ path }: Call, items: unknown[]): Answer => ok(onePage(items, path));
