import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type JWTPayload, SignJWT } from 'jose';
import pg from 'pg';
import WebSocket from 'ws';
import { DEMO_PARTNER_TENANT_ID } from '../../../src/config/auth-config.js';
import {
  ActivityFeedDocument,
  CancellationConfirmationsDocument,
  RestoreAccessDocument,
  RevokeAccessDocument,
  ViewerDocument,
} from '../../generated/graphql.js';
import { engine, serverUrl, testDatabase } from '../../support/database.js';
import { shared } from '../../support/feed.js';
import { type Caller, startTestGateway, type TestGateway, type TestStream } from '../../support/gateway.js';
import { aCustomer, buy, skus, stockShop } from '../../support/shop.js';
import { buySoftware, entriesOf, linkOf, restart, settled, uploadUrlOf } from '../../support/software.js';
import { until } from '../../support/until.js';
import { come } from '../../support/users.js';

describe(`revoking access, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
  });
  afterAll(() => gateway.stop());

  let users = 0;
  const aUser = () => {
    users += 1;
    return `User.${users}@partner.example`;
  };
  const tokenOf = async (user: string, role: Parameters<TestGateway['token']>[0] = 'ADMIN_AGENT') => ({
    token: await gateway.token(role, { user: user.toLowerCase() }),
  });
  const revoke = (userPrincipalName: string, reason?: string, as?: Caller, on = gateway) =>
    on.run(RevokeAccessDocument, { input: { userPrincipalName, reason } }, as);
  const restore = (userPrincipalName: string, reason?: string, on = gateway) =>
    on.run(RestoreAccessDocument, { input: { userPrincipalName, reason } });
  /** A user that came once. */
  const aKnownUser = async (on = gateway) => {
    const user = aUser();
    await come(on, user.toLowerCase());
    return user;
  };
  const whoAmI = (as: Caller, on = gateway) => on.run(ViewerDocument, {}, as);
  /** A demo token with claims of choice. */
  const tokenWith = async (claims: JWTPayload) => ({
    token: await new SignJWT({ roles: ['ADMIN_AGENT'], tid: DEMO_PARTNER_TENANT_ID, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('csp-graph-demo')
      .setAudience('csp-graph')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(gateway.gateway.services.config.signingSecret),
  });
  /** Every message until the socket closes, and the code with which it does. */
  const rest = async (stream: TestStream) => {
    const messages = [];
    try {
      for (let message = await stream.next(); message; message = await stream.next()) messages.push(message);
    } catch (closed) {
      if ((closed as { code?: number }).code === undefined) throw closed;
    }
    return { messages, code: (await stream.closed).code };
  };

  test('revokeAccess: every token of the user answers 401 from the next request on, also one issued later, until restoreAccess', async () => {
    const user = aUser();
    const before = await tokenOf(user);
    expect((await whoAmI(before)).data.viewer.userPrincipalName).toBe(user.toLowerCase());
    const { data } = await revoke(user);
    expect(data.revokeAccess).toEqual({
      __typename: 'RevokeAccessSuccess',
      userPrincipalName: user.toLowerCase(),
      revokedAt: expect.any(String),
    });
    const refused = await whoAmI(before);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token".*revoked/);
    expect(refused.errors).toEqual([
      { message: expect.stringContaining('revoked'), extensions: { code: 'UNAUTHENTICATED' } },
    ]);
    const later = await tokenWith({ sub: user.toLowerCase(), upn: user, iat: Math.floor(Date.now() / 1_000) + 30 });
    expect((await whoAmI(later)).status).toBe(401);
    expect((await whoAmI(await tokenOf(aUser()))).status).toBe(200);

    const restored = await restore(user, 'came back');
    expect(restored.data.restoreAccess).toEqual({
      __typename: 'RestoreAccessSuccess',
      user: { userPrincipalName: user.toLowerCase(), objectId: user.toLowerCase() },
      restoredAt: expect.any(String),
    });
    for (const token of [before, later]) expect((await whoAmI(token)).status).toBe(200);
    await revoke(user);
    expect((await whoAmI(later)).status).toBe(401);
  });

  test('revokeAccess: by any name that the user came under, and by object id; whatever the token is called then', async () => {
    const oid = randomUUID();
    const tokens = [
      await tokenWith({ sub: 'pairwise-1', oid, upn: 'Maiden.Name@partner.example' }),
      await tokenWith({ sub: 'pairwise-1', oid, upn: 'married.name@partner.example' }),
      await tokenWith({ sub: 'pairwise-2', oid }),
    ];
    for (const token of tokens) expect((await whoAmI(token)).status).toBe(200);
    for (const input of [
      { userPrincipalName: 'maiden.name@PARTNER.example' },
      { userPrincipalName: 'married.name@partner.example' },
      { objectId: oid },
      { objectId: oid, tenantId: DEMO_PARTNER_TENANT_ID, userPrincipalName: 'pairwise-2' },
    ]) {
      const { data } = await gateway.run(RevokeAccessDocument, { input });
      expect(data.revokeAccess?.__typename).toBe('RevokeAccessSuccess');
      for (const token of tokens) expect((await whoAmI(token)).status).toBe(401);
      expect((await gateway.run(RestoreAccessDocument, { input })).data.restoreAccess?.__typename).toBe(
        'RestoreAccessSuccess',
      );
      for (const token of tokens) expect((await whoAmI(token)).status).toBe(200);
    }
  });

  test('revokeAccess: an application without a name is revoked by its object id', async () => {
    const oid = randomUUID();
    const token = await tokenWith({ sub: oid, oid, azp: randomUUID() });
    expect((await whoAmI(token)).status).toBe(200);
    await gateway.run(RevokeAccessDocument, { input: { objectId: oid } });
    expect((await whoAmI(token)).status).toBe(401);
  });

  test('revokeAccess: subjects that differ in case, and equal ones of two tenants, are different users', async () => {
    const [upper, lower] = [await tokenWith({ sub: 'Kim' }), await tokenWith({ sub: 'kim' })];
    const customer = await aCustomer(gateway);
    const elsewhere = await tokenWith({ sub: 'kim', roles: ['CUSTOMER_ADMIN'], tid: customer.tenantId });
    for (const token of [upper, lower, elsewhere]) expect((await whoAmI(token)).status).toBe(200);

    const ambiguous = await gateway.run(RevokeAccessDocument, { input: { userPrincipalName: 'kim' } });
    expect(ambiguous.data.revokeAccess).toMatchObject({
      __typename: 'UserAmbiguous',
      code: 'USER_AMBIGUOUS',
      users: expect.arrayContaining([
        { userPrincipalName: 'kim', issuer: 'csp-graph-demo', tenantId: DEMO_PARTNER_TENANT_ID, objectId: 'Kim' },
        { userPrincipalName: 'kim', issuer: 'csp-graph-demo', tenantId: DEMO_PARTNER_TENANT_ID, objectId: 'kim' },
        { userPrincipalName: 'kim', issuer: 'csp-graph-demo', tenantId: customer.tenantId, objectId: 'kim' },
      ]),
    });
    for (const token of [upper, lower, elsewhere]) expect((await whoAmI(token)).status).toBe(200);

    await gateway.run(RevokeAccessDocument, { input: { objectId: 'kim', tenantId: DEMO_PARTNER_TENANT_ID } });
    expect([(await whoAmI(upper)).status, (await whoAmI(lower)).status, (await whoAmI(elsewhere)).status]).toEqual([
      200, 401, 200,
    ]);
  });

  test('revokeAccess: a user without a tenant is named by issuer and no tenant', async () => {
    const sub = '😀'.repeat(150);
    const [withTenant, without] = [await tokenWith({ sub }), await tokenWith({ sub, tid: undefined })];
    for (const token of [withTenant, without]) expect((await whoAmI(token)).status).toBe(200);
    const input = { objectId: sub, tenantId: null };
    const ambiguous = await gateway.run(RevokeAccessDocument, { input });
    expect(ambiguous.data.revokeAccess?.__typename).toBe('UserAmbiguous');
    const { data } = await gateway.run(RevokeAccessDocument, { input: { ...input, issuer: 'csp-graph-demo' } });
    expect(data.revokeAccess?.__typename).toBe('RevokeAccessSuccess');
    expect([(await whoAmI(withTenant)).status, (await whoAmI(without)).status]).toEqual([200, 401]);
  });

  test('revokeAccess: a name or object id that nobody ever came with is a problem, and nothing is written', async () => {
    for (const input of [
      { userPrincipalName: 'nobody@partner.example' },
      { objectId: randomUUID() },
      { userPrincipalName: 'gloria.global@partner.example', objectId: randomUUID() },
      { userPrincipalName: (await aKnownUser()).toLowerCase(), tenantId: randomUUID() },
    ]) {
      for (const document of [RevokeAccessDocument, RestoreAccessDocument]) {
        const { data } = await gateway.run(document as typeof RevokeAccessDocument, { input });
        expect(Object.values(data)).toEqual([
          { __typename: 'UserUnknown', code: 'USER_UNKNOWN', message: expect.any(String) },
        ]);
      }
    }
    const { errors } = await gateway.run(RevokeAccessDocument, { input: { reason: 'whoever' } });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'input' } }]);
    expect(await entriesOf(gateway, { actions: ['ACCESS_REVOKED'], actor: 'nobody@partner.example' })).toEqual([]);
  });

  test('restoreAccess: of somebody who is not revoked is a problem', async () => {
    const { data } = await restore(await aKnownUser());
    expect(data.restoreAccess).toMatchObject({ __typename: 'AccessNotRevoked', code: 'ACCESS_NOT_REVOKED' });
  });

  test('revokeAccess: links and upload addresses of the user die with it, and stay dead when access is given back', async () => {
    const customer = await aCustomer(gateway);
    const software = await buySoftware(gateway, customer);
    const user = aUser();
    const token = await tokenOf(user);
    const link = await linkOf(gateway, software, token);
    const ours = await linkOf(gateway, software);
    const uploadUrl = await uploadUrlOf(gateway, customer, token);
    const upload = () => {
      const body = new FormData();
      body.append('file', new Blob(['text'], { type: 'text/plain' }), 'note.txt');
      return fetch(uploadUrl, { method: 'POST', body });
    };
    expect((await fetch(link.url)).status).toBe(200);
    expect((await upload()).status).toBe(201);
    await revoke(user);
    for (const isRestored of [false, true]) {
      if (isRestored) await restore(user);
      expect((await fetch(link.url)).status).toBe(410);
      const refused = await upload();
      expect([refused.status, await refused.json()]).toMatchObject([410, { code: 'REVOKED' }]);
      expect((await fetch(ours.url)).status).toBe(200);
    }
    expect((await fetch((await linkOf(gateway, software, token)).url)).status).toBe(200);
  });

  test('revokeAccess: a live stream says AccessChanged, then the socket closes with 4401; nothing committed after is delivered', async () => {
    const customer = await aCustomer(gateway);
    const user = aUser();
    const stream = await gateway.subscribe(
      CancellationConfirmationsDocument,
      { customerId: customer.id },
      await tokenOf(user),
    );
    const reader = aUser();
    const log = await gateway.subscribe(ActivityFeedDocument, {}, await tokenOf(reader, 'ACCOUNT_ADMIN'));
    await stream.nextOf('FeedCaughtUp');
    await log.nextOf('FeedCaughtUp');
    const before = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    // Where a transaction elsewhere on the server held the feed back, entries of the tests before come first.
    for (let told = ''; told !== `ORDER_CONFIRMED ${before.number}`; ) {
      const { action, detail } = (await log.nextOf('ActivityRecorded')).entry;
      told = `${action} ${detail.orderNumber}`;
    }

    await revoke(user);
    expect(await rest(stream)).toMatchObject({
      messages: [{ data: { cancellationConfirmed: { __typename: 'AccessChanged' } } }],
      code: 4401,
    });

    expect((await log.nextOf('ActivityRecorded')).entry.action).toBe('ACCESS_REVOKED');
    await revoke(reader);
    const missed = await buy(gateway, customer, [{ ...skus.perpetual, quantity: 1 }]);
    const end = await rest(log);
    expect(end).toMatchObject({
      messages: [{ data: { activity: { __typename: 'AccessChanged', cursor: expect.any(String) } } }],
      code: 4401,
    });

    // Its cursor passes over nothing: once access is given back, all that was kept from them comes first.
    await restore(reader);
    const again = await gateway.subscribe(
      ActivityFeedDocument,
      { after: end.messages[0].data.activity.cursor },
      await tokenOf(reader, 'ACCOUNT_ADMIN'),
    );
    const revoked = await again.nextOf('ActivityRecorded');
    expect(revoked.entry.detail).toMatchObject({ userPrincipalName: reader.toLowerCase() });
    expect((await again.nextOf('ActivityRecorded')).entry.detail).toMatchObject({ orderNumber: missed.number });
    await again.end();
  });

  test('revokeAccess: a replay of the revoked delivers nothing; a new socket is refused', async () => {
    const user = aUser();
    const token = await tokenOf(user, 'ACCOUNT_ADMIN');
    await whoAmI(token);
    await revoke(user);
    const stream = await gateway.subscribe(ActivityFeedDocument, {}, token);
    await expect(stream.next()).rejects.toMatchObject({ code: 4401 });
  });

  test('revokeAccess: an open socket without streams can do nothing more, and closes with 4401', async () => {
    const { entitlementId, choice } = await buySoftware(gateway, await aCustomer(gateway));
    const user = aUser();
    const { token } = await tokenOf(user);
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const messages: { type: string; payload?: { data?: unknown; errors?: { extensions: unknown }[] } }[] = [];
    const acknowledged = new Promise((resolve) => {
      socket.on('message', (data) => {
        messages.push(JSON.parse(String(data)));
        resolve(null);
      });
    });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
    );
    await acknowledged;
    await revoke(user);
    const query = `mutation { revealProductKey(input: { entitlementId: "${entitlementId}", version: "${choice.version}" }) { __typename ... on RevealProductKeySuccess { productKey } } }`;
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
    expect(await closed).toBe(4401);
    expect(JSON.stringify(messages)).not.toContain('RevealProductKeySuccess');
  });

  test('revokeAccess: nobody revokes their own access, in any case', async () => {
    for (const name of ['gloria.global@partner.example', 'Gloria.Global@PARTNER.example']) {
      expect((await revoke(name)).data.revokeAccess).toEqual({
        __typename: 'OwnAccessNotRevocable',
        code: 'OWN_ACCESS_NOT_REVOCABLE',
        message: expect.any(String),
      });
    }
    expect((await whoAmI('GLOBAL_ADMIN')).status).toBe(200);
    expect(await entriesOf(gateway, { actions: ['ACCESS_REVOKED'], actor: 'nobody@partner.example' })).toEqual([]);
  });

  test('revokeAccess: only GLOBAL_ADMIN', async () => {
    const user = await aKnownUser();
    for (const role of ['ADMIN_AGENT', 'ACCOUNT_ADMIN', 'CUSTOMER_ADMIN'] as const) {
      const { data, errors } = await revoke(user, undefined, role);
      expect([data, errors?.[0].extensions.code]).toEqual([{ revokeAccess: null }, 'FORBIDDEN']);
    }
    expect((await whoAmI(await tokenOf(user))).status).toBe(200);
  });

  test('revokeAccess: what is no name, and an empty reason, are refused at the door', async () => {
    for (const [user, reason, field] of [
      ['', 'why', 'input.userPrincipalName'],
      ['a\nb@c', 'why', 'input.userPrincipalName'],
      [aUser(), ' ', 'input.reason'],
      [aUser(), 'x'.repeat(1_001), 'input.reason'],
    ] as const) {
      const { errors } = await revoke(user, reason);
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
    }
  });

  test('rule 22: a revocation is an entry: by whom, of whom, why', async () => {
    const user = await aKnownUser();
    await revoke(user, 'left the company');
    await revoke(user);
    await restore(user, 'came back');
    await settled(gateway);
    const { data } = await gateway.run(
      `query { activity(last: 3, filter: { actions: [ACCESS_REVOKED, ACCESS_RESTORED] }) { nodes {
        action outcome actor { userPrincipalName role issuer tenantId objectId } customer { id } resource { type nodeId node { id } label }
        detail { ... on AccessRevokedDetail { userPrincipalName objectId reason } ... on AccessRestoredDetail { userPrincipalName objectId reason } } } } }`,
    );
    const name = user.toLowerCase();
    const entry = (action: string, reason: string | null) => ({
      action,
      outcome: 'SUCCEEDED',
      actor: {
        userPrincipalName: 'gloria.global@partner.example',
        role: 'GLOBAL_ADMIN',
        issuer: 'csp-graph-demo',
        tenantId: DEMO_PARTNER_TENANT_ID,
        objectId: 'gloria.global@partner.example',
      },
      customer: null,
      resource: { type: 'USER', nodeId: null, node: null, label: name },
      detail: { userPrincipalName: name, objectId: name, reason },
    });
    expect(data.activity.nodes).toEqual([
      entry('ACCESS_REVOKED', 'left the company'),
      entry('ACCESS_REVOKED', null),
      entry('ACCESS_RESTORED', 'came back'),
    ]);
  });

  test('revokeAccess: outlasts a restart', async () => {
    const database = await testDatabase();
    const first = await startTestGateway({ database });
    const user = aUser();
    const token = await tokenOf(user);
    await whoAmI(token, first);
    await revoke(user, undefined, undefined, first);
    const second = await restart(first, database, {});
    const { status } = await whoAmI(token, second);
    await second.stop();
    expect(status).toBe(401);
  });

  const onServer = serverUrl ? test : test.skip;

  onServer(
    'revokeAccess: other gateways on the same server learn it, and end their streams (server only)',
    async () => {
      const database = await testDatabase();
      const second = await startTestGateway({ database: { ...database, drop: async () => undefined } });
      const first = await startTestGateway({ database });
      try {
        await stockShop(first);
        const user = aUser();
        const token = await tokenOf(user, 'ACCOUNT_ADMIN');
        const stream = await second.subscribe(ActivityFeedDocument, {}, token);
        await stream.nextOf('FeedCaughtUp');
        await revoke(user, undefined, undefined, first);
        await buy(first, await aCustomer(first), [{ ...skus.perpetual, quantity: 1 }]);
        expect(await rest(stream)).toMatchObject({
          messages: [{ data: { activity: { __typename: 'AccessChanged' } } }],
          code: 4401,
        });
        expect((await whoAmI(token, second)).status).toBe(401);
      } finally {
        await second.stop();
        await first.stop();
      }
    },
  );

  onServer('revokeAccess: what was being read for the user when it answered does not leave (server only)', async () => {
    const { database } = gateway.gateway.services.config;
    const holder = new pg.Client(database.kind === 'server' ? database.url : '');
    await holder.connect();
    try {
      const user = aUser();
      const token = await tokenOf(user);
      await whoAmI(token);
      await holder.query('begin');
      await holder.query('lock table customers in access exclusive mode');
      const reading = gateway.run('{ customers(first: 1) { nodes { companyName } } }', {}, token);
      await until('the read waits', async () => {
        const { rows } = await holder.query(
          `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows.length > 0;
      });
      await revoke(user);
      await holder.query('commit');
      const { status, data, errors } = await reading;
      expect([status, data, errors?.[0].extensions.code]).toEqual([401, undefined, 'UNAUTHENTICATED']);
    } finally {
      await holder.end();
    }
  });

  onServer(
    'revokeAccess: a gateway that others no longer waited for learns before it serves again (server only)',
    async () => {
      const database = await testDatabase();
      const second = await startTestGateway({ database: shared(database) });
      const first = await startTestGateway({ database });
      const { accessWatch, revocations } = second.gateway.services;
      const holder = new pg.Client((database.config as { url: string }).url);
      await holder.connect();
      try {
        const user = aUser();
        const token = await tokenOf(user);
        await whoAmI(token, second);
        // The feed must not tell it.
        await holder.query('begin');
        await holder.query('select pg_current_xact_id()');
        // As if it had hung for longer than its lease.
        await accessWatch.stop();
        await first.sql(`update gateway_processes set alive_until = now() - interval '1 second'`);
        await revoke(user, undefined, undefined, first);
        revocations.trustUntil(0);
        expect((await whoAmI(token, second)).status).toBe(503);
        // It cannot learn yet.
        await holder.query('begin');
        await holder.query('lock table access_revocations in access exclusive mode');
        const learned = accessWatch.start();
        await until('it tries to learn', async () => {
          const { rows } = await holder.query(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          );
          return rows.length > 0;
        });
        expect((await whoAmI(token, second)).status).toBe(503);
        await holder.query('commit');
        await learned;
        expect((await whoAmI(token, second)).status).toBe(401);
      } finally {
        await holder.end();
        await second.stop();
        await first.stop();
      }
    },
  );

  onServer(
    'revokeAccess: holds here at once, also while an open transaction holds the feed back (server only)',
    async () => {
      const { database } = gateway.gateway.services.config;
      const slow = new pg.Client(database.kind === 'server' ? database.url : '');
      await slow.connect();
      try {
        await slow.query('begin');
        await slow.query('select pg_current_xact_id()');
        const user = aUser();
        const token = await tokenOf(user);
        await whoAmI(token);
        await revoke(user);
        expect((await whoAmI(token)).status).toBe(401);
      } finally {
        await slow.end();
      }
    },
  );
});
