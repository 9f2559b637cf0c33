import { type Answer, type Call, ok, Refusal, type Route } from './call.js';
import { moveAvailability } from './catalog.js';
import { fetchInPortal } from './entitlements.js';
import { FAULTS, type Fault, type Strike } from './faults.js';
import { cancelInPortal, orderInPortal, type PortalLine } from './portal.js';
import { newRefreshToken } from './tokens.js';

/**
 * What whoever runs the simulator can do to it, over HTTP: set the clock, switch faults, do in the portal what people
 * do there, look at what it holds. The service has nothing of it.
 */
export const controlRoutes: Route[] = (
  [
    ['GET', '/simulator/state', ({ world }) => ok({ ...world.state, answers: undefined, accessTokens: undefined })],
    ['POST', '/simulator/clock', setClock],
    ['POST', '/simulator/faults', switchFault],
    ['POST', '/simulator/availabilities', moveAll],
    ['POST', '/simulator/portal', inPortal],
    ['POST', '/simulator/device', consent],
    ['POST', '/simulator/refresh-token', ({ world }) => ok({ refreshToken: newRefreshToken(world) })],
    ['POST', '/simulator/invoices/:invoice/revise', revise],
  ] as [string, string, Route['handle']][]
).map(([method, pattern, handle]) => ({ method, pattern, wants: 'nobody', handle }));

/** `{"advanceMs": 3600000}`, or `{"now": "2026-11-30T00:00:00Z"}`, from when on it stands still. */
function setClock({ world, body }: Call): Answer {
  if (typeof body['now'] === 'string') world.state.frozenMs = Date.parse(body['now']);
  world.advance(Number(body['advanceMs'] ?? 0));
  return ok({ now: world.iso(world.now()) });
}

/** `{"fault": "hangAfterWrite", "times": 1, "at": "checkout"}`; `{"fault": "…", "off": true}`; `{"off": true}`: all. */
function switchFault({ world, body }: Call): Answer {
  const { fault, off, ...strike } = body as { fault?: Fault; off?: boolean } & Strike;
  if (fault !== undefined && !FAULTS.includes(fault))
    throw new Refusal(400, '2000', `The faults are ${FAULTS.join(', ')}.`);
  if (off || fault === undefined) world.faults.switchOff(fault);
  else world.faults.switchOn(fault, strike);
  return ok({ struck: world.faults.struck });
}

function moveAll({ world }: Call): Answer {
  for (const product of world.state.products) moveAvailability(world, product);
  return ok({});
}

/**
 * `{"fetch": "key", "orderId": "…", "user": "agent@partner.example"}`; `{"order": [{"productId": "…", "skuId": "…",
 * "quantity": 1}], "customerId": "…"}`; `{"cancel": "…"}`, an order.
 */
function inPortal({ world, body }: Call): Answer {
  const { fetch: what, orderId, cancel, customerId, user = 'agent@partner.example' } = body as Record<string, string>;
  if (Array.isArray(body['order']))
    return ok({ id: orderInPortal(world, String(customerId), body['order'] as PortalLine[], user).id });
  if (cancel) {
    const order = world.state.orders.find(({ id }) => id === cancel);
    if (!order) throw new Refusal(404, '20000', 'The order was not found.');
    cancelInPortal(world, order, user);
    return ok({});
  }
  if (what !== 'key' && what !== 'link')
    throw new Refusal(400, '2000', 'In the portal a key or a link is fetched, and orders are placed and cancelled.');
  fetchInPortal(world, String(orderId), what, user);
  return ok({});
}

/** Somebody consents to whatever device code waits. */
function consent({ world }: Call): Answer {
  for (const code of Object.keys(world.state.deviceCodes)) world.state.deviceCodes[code] = true;
  return ok({});
}

/** The export of an invoice has other data from now on: its eTag changes. */
function revise({ world, ids }: Call): Answer {
  const invoice = world.state.invoices.find(({ id }) => id === ids['invoice']);
  if (!invoice) throw new Refusal(404, '2000', 'The invoice was not found.');
  invoice.version += 1;
  return ok({ version: invoice.version });
}
