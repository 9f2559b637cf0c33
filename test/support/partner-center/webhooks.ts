import { spawnSync } from 'node:child_process';
import { sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, type Call, created, ok, Refusal, type Route } from './call.js';
import type { Delivery } from './state.js';
import type { World } from './world.js';

const TRIES = 10;
const MINUTE_MS = 60_000;
const EVENTS = ['test-created', 'subscription-updated', 'invoice-ready', 'azure-fraud-event-detected'];

/** What signs webhooks: a certificate below an authority of the simulator's own. */
export interface WebhookSigner {
  key: string;
  certificate: string;
  /** To be trusted by whoever checks signatures. */
  authority: string;
}

/** Makes the authority and the certificate. Null where the machine has no `openssl`. */
export function makeWebhookSigner(): WebhookSigner | null {
  const folder = mkdtempSync(join(tmpdir(), 'csp-graph-webhooks-'));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => spawnSync('openssl', args, { cwd: folder }).status === 0;
  const subject = (name: string) => ['-subj', `/O=Microsoft Corporation/CN=${name}`];
  try {
    writeFileSync(file('extensions'), 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n');
    const isMade =
      openssl(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        'ca.key',
        '-out',
        'ca.pem',
        ...subject('Simulated root'),
      ) &&
      openssl(
        'req',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        'key.pem',
        '-out',
        'request.pem',
        ...subject('webhooks.simulated'),
      ) &&
      openssl(
        'x509',
        '-req',
        '-in',
        'request.pem',
        '-CA',
        'ca.pem',
        '-CAkey',
        'ca.key',
        '-CAcreateserial',
        '-days',
        '2',
        '-extfile',
        'extensions',
        '-out',
        'cert.pem',
      );
    if (!isMade) return null;
    const read = (name: string) => readFileSync(file(name), 'utf8');
    return { key: read('key.pem'), certificate: read('cert.pem'), authority: read('ca.pem') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const webhookRoutes: Route[] = [
  { method: 'GET', pattern: '/webhooks/v1/registration', handle: (call) => ok(registrationOf(call)) },
  { method: 'POST', pattern: '/webhooks/v1/registration', handle: register },
  { method: 'PUT', pattern: '/webhooks/v1/registration', handle: (call) => ok(enter(call)) },
  { method: 'GET', pattern: '/webhooks/v1/registration/events', handle: () => ok(EVENTS) },
  { method: 'POST', pattern: '/webhooks/v1/registration/validationEvents', handle: validate },
  {
    method: 'GET',
    pattern: '/webhooks/v1/registration/validationEvents/:correlation',
    handle: ({ world, ids }) => ok(world.state.validations[ids['correlation'] as string] ?? {}),
  },
];

function registrationOf({ world }: Call) {
  if (!world.state.registration) throw new Refusal(404, '2000', 'Nothing is registered.');
  return world.state.registration;
}

/** One registration for each tenant. */
function register(call: Call): Answer {
  if (call.world.state.registration) throw new Refusal(409, '2000', 'A registration exists already.');
  return created(enter(call));
}

function enter({ world, body }: Call) {
  const WebhookUrl = String(body['WebhookUrl']);
  const WebhookEvents = (body['WebhookEvents'] as string[]) ?? [];
  const SubscriberId = world.state.registration?.SubscriberId ?? world.guid();
  world.state.registration = { WebhookUrl, WebhookEvents, SubscriberId };
  return world.state.registration;
}

function validate(call: Call): Answer {
  const { world } = call;
  const { WebhookUrl: callbackUrl } = registrationOf(call);
  const correlationId = world.guid();
  world.state.validations[correlationId] = {
    correlationId,
    partnerId: world.partnerId,
    status: 'pending',
    callbackUrl,
  };
  const now = world.now();
  world.state.deliveries.push({
    event: 'test-created',
    uri: `/${correlationId}`,
    name: 'test',
    changedMs: now,
    dueMs: now,
    tries: 0,
  });
  return created({ correlationId });
}

/** Delivers what is due, in turn; what is not taken is due again later, ten times at most. Answers how many were taken. */
export async function deliverDue(world: World, base: string, signer: WebhookSigner): Promise<number> {
  let taken = 0;
  for (const delivery of world.state.deliveries.filter(({ dueMs }) => dueMs <= world.now())) {
    const status = await deliver(world, base, signer, delivery);
    delivery.tries += 1;
    const isTaken = status >= 200 && status < 300;
    if (isTaken) taken += 1;
    if (isTaken || delivery.tries >= TRIES)
      world.state.deliveries = world.state.deliveries.filter((one) => one !== delivery);
    // How long the service waits between two tries is not known.
    else delivery.dueMs = world.now() + delivery.tries * MINUTE_MS;
    const validation = world.state.validations[delivery.uri.slice(1)] as { results?: object[] } | undefined;
    if (validation)
      Object.assign(validation, {
        status: 'completed',
        results: [
          {
            responseCode: String(status),
            responseMessage: '',
            systemError: false,
            dateTimeUtc: world.iso(world.now()),
          },
        ],
      });
  }
  return taken;
}

async function deliver(world: World, base: string, signer: WebhookSigner, delivery: Delivery): Promise<number> {
  const { event, uri, name, changedMs } = delivery;
  const body = JSON.stringify({
    EventName: event,
    ResourceUri: `${base}${uri}`,
    ResourceName: name,
    AuditUri: `${base}/auditactivity/v1/auditrecords/${encodeURIComponent(uri)}`,
    ResourceChangeUtcDate: world.iso(changedMs),
  });
  const signature = sign('rsa-sha256', Buffer.from(body), signer.key).toString('base64');
  const headers = {
    'content-type': 'application/json',
    authorization: `Signature ${signature}`,
    'x-ms-certificate-url': `${base}/simulator/webhooks.pem`,
    'x-ms-signature-algorithm': 'rsa-sha256',
  };
  const url = world.state.registration?.WebhookUrl ?? '';
  return fetch(url, { method: 'POST', body, headers, redirect: 'manual' }).then(
    ({ status }) => status,
    () => 0,
  );
}
