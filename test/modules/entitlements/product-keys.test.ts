import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT } from 'jose';
import pg from 'pg';
import type { Role } from '../../../src/auth/role.js';
import { toGlobalId } from '../../../src/domain/global-id.js';
import { engine, serverUrl, testDatabase } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, stockShop } from '../../support/shop.js';
import {
  adminOf,
  buySoftware,
  cancelAndConfirm,
  entriesOf,
  everyRow,
  keyOf,
  linkOf,
  productKeyForm,
  restart,
  reveal,
  settled,
} from '../../support/software.js';

describe(`product keys, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
  });
  afterAll(() => gateway.stop());

  /** Fails every insert of an entry with that action while `work` runs. */
  async function whileEntriesFail(action: string, work: () => Promise<void>): Promise<void> {
    await gateway.sql(
      `create function fail_entry() returns trigger language plpgsql as 'begin raise exception ''the log is full''; end'`,
    );
    await gateway.sql(
      `create trigger fail_entry before insert on activity_entries for each row when (new.action = '${action}') execute function fail_entry()`,
    );
    try {
      await work();
    } finally {
      await gateway.sql('drop trigger fail_entry on activity_entries');
      await gateway.sql('drop function fail_entry()');
    }
  }

  test('rule 10: a key is 25 characters in five groups of five, of letters and digits that nobody confuses', async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway));
    expect(await keyOf(gateway, software)).toMatch(
      /^[BCDFGHJKMNPQRTVWXY2346789]{5}(-[BCDFGHJKMNPQRTVWXY2346789]{5}){4}$/,
    );
  });

  test('rule 10: the same version has the same key again, another version or purchase another one', async () => {
    const customer = await aCustomer(gateway);
    const software = await buySoftware(gateway, customer);
    const other = await buySoftware(gateway, customer);
    const [first, second] = software.versions.map(({ version }) => version) as [string, string];
    const key = await keyOf(gateway, software, first);
    expect(await keyOf(gateway, software, first)).toBe(key);
    const answer = await reveal(gateway, software.entitlementId, first, await adminOf(gateway, customer));
    expect(answer.data.revealProductKey).toMatchObject({
      productKey: key,
      entitlement: { id: software.entitlementId },
    });
    expect(new Set([key, await keyOf(gateway, software, second), await keyOf(gateway, other, first)]).size).toBe(3);
  });

  test('rule 10: two first readers at once get the one key', async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway));
    const keys = await Promise.all([0, 1, 2, 3].map(() => keyOf(gateway, software)));
    expect(new Set(keys).size).toBe(1);
  });

  test('rule 8: every reading is an entry that committed first, by whom and of which version', async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway));
    await keyOf(gateway, software);
    await reveal(gateway, software.entitlementId, software.choice.version, await adminOf(gateway, software.customer));
    const entries = await entriesOf(gateway, { orderId: software.order.id, actions: ['PRODUCT_KEY_REVEALED'] });
    expect(entries.map((entry) => [entry.outcome, entry.actor.role, entry.actor.userPrincipalName])).toEqual([
      ['SUCCEEDED', 'ADMIN_AGENT', 'agent.anna@partner.example'],
      ['SUCCEEDED', 'CUSTOMER_ADMIN', `admin@${software.customer.domain}`],
    ]);
    for (const entry of entries) {
      expect(entry.resource).toEqual({
        type: 'ENTITLEMENT',
        nodeId: software.entitlementId,
        label: expect.any(String),
      });
      expect(entry.detail).toEqual({ __typename: 'ProductKeyRevealedDetail', version: software.choice.version });
    }
  });

  test('rule 8: a key is encrypted at rest, and in no table, log line, metric, entry or query', async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway));
    const key = await keyOf(gateway, software);
    const { url } = await linkOf(gateway, software);
    const token = url.split('/').at(-1) as string;
    const everything = [
      await everyRow(gateway),
      gateway.log.join('\n'),
      await (await fetch(`${gateway.url}/metrics`)).text(),
      JSON.stringify(await entriesOf(gateway, {})),
      JSON.stringify(
        await gateway.run(
          `query ($id: ID!) { node(id: $id) { ... on Entitlement {
            status orderLine { lineNumber entitlement { id } } sku { title } order { number } hybridBenefit { reason } customer {
              activity(last: 100) { nodes { resource { label nodeId } detail { __typename
                ... on ProductKeyRevealedDetail { version } ... on DownloadLinkCreatedDetail { version language expiresAt } } } }
            } } } }`,
          { id: software.entitlementId },
        ),
      ),
    ].join('\n');
    const forms = [key, key.replaceAll('-', '')];
    for (const form of [...forms, ...forms.map((plain) => Buffer.from(plain).toString('hex')), token]) {
      expect(everything).not.toContain(form);
    }
    expect(everything).not.toMatch(/\b[BCDFGHJKMNPQRTVWXY2346789]{5}(-[BCDFGHJKMNPQRTVWXY2346789]{5}){4}\b/);
    const [row] = await gateway.sql<{ keyId: string; bytes: number }>(
      'select key_id as "keyId", length(sealed) as bytes from product_keys where entitlement_id = ?',
      [software.entitlementId.slice(4)],
    );
    // 12 bytes nonce, 29 characters, 16 bytes tag: AES-256-GCM.
    expect(row).toEqual({ keyId: 'test', bytes: 57 });
  });

  test('rule 8: no field of the schema but the answer to revealProductKey holds a key', async () => {
    const { data } = await gateway.run('{ __schema { types { name fields { name } } } }', {}, 'ADMIN_AGENT');
    const holders = (data.__schema.types as { name: string; fields: { name: string }[] | null }[]).flatMap((type) =>
      (type.fields ?? []).filter((field) => /key$/i.test(field.name)).map((field) => `${type.name}.${field.name}`),
    );
    expect(holders).toEqual(['Mutation.revealProductKey', 'RevealProductKeySuccess.productKey']);
  });

  test('rule 8: no key and no link without an entry: where it cannot be written, nothing is answered or kept', async () => {
    const software = await buySoftware(gateway, await aCustomer(gateway));
    const id = software.entitlementId.slice(4);
    await whileEntriesFail('PRODUCT_KEY_REVEALED', async () => {
      const answer = await reveal(gateway, software.entitlementId, software.choice.version);
      expect(answer.data).toEqual({ revealProductKey: null });
      expect(answer.errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR', id: expect.any(String) } }]);
      expect(JSON.stringify(answer)).not.toMatch(productKeyForm);
      expect(JSON.stringify(answer)).not.toContain('the log is full');
      expect(gateway.log.join('\n')).toContain(answer.errors?.[0].extensions.id);
    });
    await whileEntriesFail('DOWNLOAD_LINK_CREATED', async () => {
      await expect(linkOf(gateway, software)).rejects.toThrow('INTERNAL_SERVER_ERROR');
    });
    expect(await gateway.sql('select from product_keys where entitlement_id = ?', [id])).toEqual([]);
    expect(await gateway.sql('select from download_links where entitlement_id = ?', [id])).toEqual([]);
    expect(await keyOf(gateway, software)).toMatch(productKeyForm);
  });

  test('rule 8: an encrypted key that was moved to another row or changed does not open, and no entry says that it was read', async () => {
    const customer = await aCustomer(gateway);
    const [mine, theirs] = [await buySoftware(gateway, customer), await buySoftware(gateway, customer)];
    await keyOf(gateway, mine);
    await keyOf(gateway, theirs);
    await gateway.sql(
      'update product_keys set sealed = (select sealed from product_keys where entitlement_id = ?) where entitlement_id = ?',
      [theirs.entitlementId.slice(4), mine.entitlementId.slice(4)],
    );
    const answer = await reveal(gateway, mine.entitlementId, mine.choice.version);
    expect(answer.data).toEqual({ revealProductKey: null });
    expect(answer.errors).toMatchObject([{ extensions: { code: 'INTERNAL_SERVER_ERROR', id: expect.any(String) } }]);
    const told = gateway.log.filter((line) => line.includes(answer.errors?.[0].extensions.id));
    expect(told).toEqual([expect.stringContaining('does not open with the key \\"test\\": its row was changed')]);
    const revealed = { actions: ['PRODUCT_KEY_REVEALED' as const] };
    expect(await entriesOf(gateway, { orderId: mine.order.id, ...revealed })).toHaveLength(1);
    await keyOf(gateway, theirs);
    expect(await entriesOf(gateway, { orderId: theirs.order.id, ...revealed })).toHaveLength(2);
  });

  test('rule 8: rotation by key id: a new encryption key in front, the old one still opens, and no gateway starts without it', async () => {
    const database = await testDatabase();
    const oldKey = { keyId: 'old', secret: new Uint8Array(32).fill(1) };
    const newKey = { keyId: 'new', secret: new Uint8Array(32).fill(2) };
    const first = await startTestGateway({ database, config: { productKeySecrets: [oldKey] } });
    await stockShop(first);
    const software = await buySoftware(first, await aCustomer(first));
    const [before, after] = software.versions.map(({ version }) => version) as [string, string];
    const key = await keyOf(first, software, before);

    const rotated = await restart(first, database, { config: { productKeySecrets: [newKey, oldKey] } });
    expect(await keyOf(rotated, software, before)).toBe(key);
    await keyOf(rotated, software, after);
    expect(await rotated.sql('select version, key_id from product_keys order by key_id')).toEqual([
      { version: after, key_id: 'new' },
      { version: before, key_id: 'old' },
    ]);

    await expect(restart(rotated, database, { config: { productKeySecrets: [newKey] } })).rejects.toThrow(
      /PRODUCT_KEY_SECRETS .*: has no key "old"/,
    );
    await database.drop();
  });

  test('rule 9: roles other than ADMIN_AGENT and CUSTOMER_ADMIN are refused, and the attempt is logged for its customer', async () => {
    const { entitlementId, choice, customer } = await buySoftware(gateway, await aCustomer(gateway));
    const refused: Role[] = [
      'GLOBAL_ADMIN',
      'SALES_AGENT',
      'HELPDESK_AGENT',
      'BILLING_ADMIN',
      'ACCOUNT_ADMIN',
      'REFERRAL_ADMIN',
      'MARKETING_CONTENT_ADMIN',
      'REPORT_VIEWER',
    ];
    for (const role of refused) {
      const answer = await reveal(gateway, entitlementId, choice.version, role);
      expect(answer.data).toEqual({ revealProductKey: null });
      expect(answer.errors).toMatchObject([
        {
          path: ['revealProductKey'],
          extensions: {
            code: 'FORBIDDEN',
            coordinate: 'Mutation.revealProductKey',
          },
        },
      ]);
      await expect(linkOf(gateway, { entitlementId, choice } as never, role)).rejects.toThrow('FORBIDDEN');
    }
    const entries = await entriesOf(gateway, { customerId: customer.id, actions: ['ACCESS_DENIED'] });
    expect(entries.map((entry) => [entry.outcome, entry.actor.role, entry.resource.nodeId, entry.detail])).toEqual(
      refused.flatMap((role) =>
        ['revealProductKey', 'createDownloadLink'].map((operation) => [
          'DENIED',
          role,
          entitlementId,
          { __typename: 'AccessDeniedDetail', operation },
        ]),
      ),
    );
  });

  test("rule 9: another tenant's is answered to the byte like a missing one; the attempt is logged, with its reason", async () => {
    const { entitlementId, choice, customer } = await buySoftware(gateway, await aCustomer(gateway));
    const intruder = await aCustomer(gateway);
    const as = await adminOf(gateway, intruder);
    const missing = toGlobalId('Entitlement', randomUUID());
    const [theirs, none] = [
      await reveal(gateway, entitlementId, choice.version, as),
      await reveal(gateway, missing, choice.version, as),
    ];
    expect(theirs.data.revealProductKey?.__typename).toBe('EntitlementNotFound');
    expect(JSON.stringify([theirs.status, theirs.data, theirs.errors])).toBe(
      JSON.stringify([none.status, none.data, none.errors]),
    );
    expect(theirs.headers.get('content-length')).toBe(none.headers.get('content-length'));
    // A wrong version of somebody else's says no more.
    expect((await reveal(gateway, entitlementId, '1999', as)).data).toEqual(none.data);
    await expect(linkOf(gateway, { entitlementId, choice } as never, as)).rejects.toThrow('EntitlementNotFound');

    await settled(gateway);
    const logged = await gateway.run(
      `query ($customerId: ID!) { activity(last: 10, filter: { customerId: $customerId, actions: [ACCESS_DENIED] }) {
        nodes { outcome actor { userPrincipalName role } resource { nodeId } detail { ... on AccessDeniedDetail { operation reason } } } } }`,
      { customerId: customer.id },
    );
    const entry = (operation: string) => ({
      outcome: 'DENIED',
      actor: { userPrincipalName: `admin@${intruder.domain}`, role: 'CUSTOMER_ADMIN' },
      resource: { nodeId: entitlementId },
      detail: { operation, reason: 'another tenant' },
    });
    expect(logged.data.activity.nodes).toEqual([
      // The second time is joined to it.
      entry('revealProductKey'),
      entry('createDownloadLink'),
    ]);
    // The intruder's own log tells neither from the other.
    expect(await entriesOf(gateway, { actions: ['ACCESS_DENIED'] }, as)).toEqual([]);
  });

  test('rule 22: who has several roles is logged in the one that allows the mutation', async () => {
    const { entitlementId, choice, order } = await buySoftware(gateway, await aCustomer(gateway));
    const user = 'many.hats@partner.example';
    const token = await new SignJWT({
      roles: ['REPORT_VIEWER', 'ACCOUNT_ADMIN', 'ADMIN_AGENT', 'GLOBAL_ADMIN'],
      upn: user,
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('csp-graph-demo')
      .setAudience('csp-graph')
      .setSubject(user)
      .setExpirationTime('1h')
      .sign(gateway.gateway.services.config.signingSecret);
    await reveal(gateway, entitlementId, choice.version, { token });
    await fetch((await linkOf(gateway, { entitlementId, choice } as never, { token })).url);
    const entries = await entriesOf(gateway, { orderId: order.id, actor: user });
    expect(entries.map((entry) => [entry.action, entry.actor.role])).toEqual([
      ['PRODUCT_KEY_REVEALED', 'ADMIN_AGENT'],
      ['DOWNLOAD_LINK_CREATED', 'ADMIN_AGENT'],
      ['SOFTWARE_DOWNLOADED', 'ADMIN_AGENT'],
    ]);
  });

  test('rule 9: a caller without a token is refused, and is nobody to write down', async () => {
    const { entitlementId, choice, customer } = await buySoftware(gateway, await aCustomer(gateway));
    const answer = await reveal(gateway, entitlementId, choice.version, null);
    expect(answer.data).toEqual({ revealProductKey: null });
    expect(answer.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    expect(await entriesOf(gateway, { customerId: customer.id, actions: ['ACCESS_DENIED'] })).toEqual([]);
  });

  const onServer = serverUrl ? test : test.skip;
  /** Runs `work` beside a transaction of its own on the server. */
  async function beside(work: (other: pg.Client, locked: (count: number) => Promise<void>) => Promise<void>) {
    const { database } = gateway.gateway.services.config;
    const other = new pg.Client(database.kind === 'server' ? database.url : '');
    await other.connect();
    const locked = async (count: number) => {
      for (let waiting = 0; waiting < count; ) {
        const rows = await gateway.sql(
          "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        );
        waiting = rows.length;
      }
    };
    try {
      await other.query('begin');
      await work(other, locked);
    } finally {
      await other.end();
    }
  }

  onServer(
    'rule 18: a key or link asked for while the cancellation is being confirmed waits for it, and is none (server only)',
    () =>
      beside(async (fulfilment, locked) => {
        const software = await buySoftware(gateway, await aCustomer(gateway));
        const id = software.entitlementId.slice(4);
        await fulfilment.query('select from orders where number = $1 for update', [software.order.number]);
        await fulfilment.query("update entitlements set status = 'REVOKED', revoked_at = now() where id = $1", [id]);
        const answers = Promise.all([
          reveal(gateway, software.entitlementId, software.choice.version),
          linkOf(gateway, software).catch((error: Error) => error.message),
        ]);
        // They want the same: the second waits for its turn, without a connection.
        await locked(1);
        await fulfilment.query('commit');
        const [answer, link] = await answers;
        expect(answer.data.revealProductKey?.__typename).toBe('EntitlementRevoked');
        expect(link).toContain('EntitlementRevoked');
        expect(await gateway.sql('select from product_keys where entitlement_id = ?', [id])).toEqual([]);
      }),
  );

  onServer(
    'rule 18: a cancellation that is confirmed while a key is being made waits for it, and destroys it (server only)',
    () =>
      beside(async (reader, locked) => {
        const software = await buySoftware(gateway, await aCustomer(gateway));
        const id = software.entitlementId.slice(4);
        await reader.query('select from orders where number = $1 for update', [software.order.number]);
        const cancelled = cancelAndConfirm(gateway, software);
        await locked(1);
        await reader.query(
          "insert into product_keys (entitlement_id, version, key_id, sealed, issued_at) values ($1, '2019', 'test', '', now())",
          [id],
        );
        await reader.query('commit');
        await cancelled;
        expect(await gateway.sql('select status from entitlements where id = ?', [id])).toEqual([
          { status: 'REVOKED' },
        ]);
        expect(await gateway.sql('select from product_keys where entitlement_id = ?', [id])).toEqual([]);
      }),
  );
});
