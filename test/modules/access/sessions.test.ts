import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEMO_PARTNER_TENANT_ID } from '../../../src/config/auth-config.js';
import { toGlobalId } from '../../../src/domain/global-id.js';
import { EndSessionDocument, RevokeAccessDocument, SessionsDocument } from '../../generated/graphql.js';
import { engine, serverUrl, testDatabase } from '../../support/database.js';
import { insertEntries } from '../../support/entries.js';
import { openEvents } from '../../support/event-stream.js';
import { shared } from '../../support/feed.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { openAcknowledged } from '../../support/raw-socket.js';
import { entriesOf, settled } from '../../support/software.js';
import { until } from '../../support/until.js';
import { sessionsOf } from '../../support/users.js';

const FEED = 'subscription { activity { __typename ... on FeedMessage { cursor } } }';
const onServer = serverUrl ? test : test.skip;

describe(`sessions, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  let users = 0;
  const aUser = () => {
    users += 1;
    return `watched.${users}@partner.example`;
  };
  const end = async (sessionId: string, on = gateway) =>
    (await on.run(EndSessionDocument, { input: { sessionId } })).data.endSession;

  test('sessions lists a socket with who, since when, from where and how much, until it closes', async () => {
    const user = aUser();
    const raw = await openAcknowledged(gateway, await gateway.token('ACCOUNT_ADMIN', { user }));
    raw.send({ id: '1', type: 'subscribe', payload: { query: FEED } });
    await raw.next();
    const [session] = await sessionsOf(gateway, user, 1);
    expect(session).toEqual({
      id: expect.stringMatching(/^ses_/),
      user: { userPrincipalName: user, objectId: user, tenantId: DEMO_PARTNER_TENANT_ID },
      roles: ['ACCOUNT_ADMIN'],
      application: 'csp-graph-demo',
      transport: 'WEBSOCKET',
      address: '127.0.0.1',
      openedAt: expect.any(String),
      expiresAt: expect.any(String),
      runningOperations: expect.any(Number),
      bytesSent: expect.any(Number),
      updatedAt: expect.any(String),
    });
    await until('its figures are told', async () => {
      const [now] = await sessionsOf(gateway, user, 1);
      return now?.runningOperations === 1 && (now.bytesSent as number) > 100;
    });
    raw.socket.close();
    await sessionsOf(gateway, user, 0);
  });

  test('endSession cuts a socket with 4401; its user may come again; the log says who cut whose', async () => {
    const user = aUser();
    const token = await gateway.token('ACCOUNT_ADMIN', { user });
    const [raw, other] = [await openAcknowledged(gateway, token), await openAcknowledged(gateway, token)];
    const [session] = await sessionsOf(gateway, user, 2);
    expect(await end(session?.id as string)).toEqual({
      __typename: 'EndSessionSuccess',
      user: { userPrincipalName: user },
    });
    expect(await raw.closed).toEqual({
      code: 4401,
      reason: 'An administrator ended your session. Sign in again.',
    });
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    await openAcknowledged(gateway, token);
    await settled(gateway);
    expect(await entriesOf(gateway, { actions: ['SESSION_ENDED'] })).toMatchObject([
      { actor: { userPrincipalName: 'gloria.global@partner.example' }, resource: { type: 'USER', label: user } },
    ]);
  });

  test('endSession completes an event stream', async () => {
    const user = aUser();
    const as = { token: await gateway.token('ACCOUNT_ADMIN', { user }) };
    const stream = await openEvents(gateway, { query: FEED, as });
    await stream.nextOf('FeedCaughtUp');
    const [session] = await sessionsOf(gateway, user, 1);
    expect(session?.transport).toBe('EVENT_STREAM');
    expect((await end(session?.id as string))?.__typename).toBe('EndSessionSuccess');
    const told: (string | undefined)[] = [];
    for (let event = await stream.next(); event; event = await stream.next())
      told.push(event.data?.errors?.[0].extensions.code ?? event.event);
    // The entry that tells of it may come first.
    expect(told.filter((event) => event !== 'next')).toEqual(['UNAUTHENTICATED', 'complete']);
  });

  /** An export larger than any buffer between, of which no more than the head is read yet. */
  const unreadExport = async (user: string, ttl?: string) => {
    const authorization = `Bearer ${await gateway.token('ACCOUNT_ADMIN', { user, ...(ttl ? { ttl } : {}) })}`;
    const asked = request(`${gateway.url}/exports/activity.jsonl`, { headers: { authorization } });
    asked.end();
    const [response] = await once(asked, 'response');
    return { response, broken: once(response, 'error') };
  };

  test('an export that is being sent is a session, and is cut; it ends at a revocation and when the token does', async () => {
    await gateway.sql(insertEntries, [60_000]);
    await settled(gateway);
    const endings: Record<string, { ttl?: string; end: (user: string) => Promise<unknown> }> = {
      endSession: {
        end: async (user) => {
          const [session] = await sessionsOf(gateway, user, 1);
          expect(session?.transport).toBe('EXPORT');
          expect((await end(session?.id as string))?.__typename).toBe('EndSessionSuccess');
        },
      },
      revokeAccess: {
        end: (userPrincipalName) => gateway.run(RevokeAccessDocument, { input: { userPrincipalName } }),
      },
      'the end of the token': {
        ttl: '2s',
        end: async () => {
          const ended = Date.now() + 2_000;
          await until('the token has ended', () => Date.now() > ended);
        },
      },
    };
    for (const [what, { ttl, end: endIt }] of Object.entries(endings)) {
      const user = aUser();
      const { response, broken } = await unreadExport(user, ttl);
      await endIt(user);
      response.resume();
      expect([what, (await broken)[0]]).toMatchObject([what, { code: 'ECONNRESET' }]);
      await sessionsOf(gateway, user, 0);
    }
  });

  test('a session that is not there, or no longer, is a problem', async () => {
    const user = aUser();
    const raw = await openAcknowledged(gateway, await gateway.token('ADMIN_AGENT', { user }));
    const [session] = await sessionsOf(gateway, user, 1);
    raw.socket.close();
    await sessionsOf(gateway, user, 0);
    for (const id of [toGlobalId('Session', randomUUID()), session?.id as string])
      expect(await end(id)).toMatchObject({ __typename: 'SessionNotFound', code: 'SESSION_NOT_FOUND' });
  });

  test('only GLOBAL_ADMINs see and cut sessions', async () => {
    for (const role of ['ADMIN_AGENT', 'ACCOUNT_ADMIN', 'CUSTOMER_ADMIN'] as const) {
      const listed = await gateway.run(SessionsDocument, {}, role);
      expect([listed.data.sessions, listed.errors?.[0].extensions.code]).toEqual([null, 'FORBIDDEN']);
      const input = { sessionId: toGlobalId('Session', randomUUID()) };
      const cut = await gateway.run(EndSessionDocument, { input }, role);
      expect([cut.data.endSession, cut.errors?.[0].extensions.code]).toEqual([null, 'FORBIDDEN']);
    }
  });

  test('revokeAccess closes idle sockets of the user at once', async () => {
    const user = aUser();
    const raw = await openAcknowledged(gateway, await gateway.token('ADMIN_AGENT', { user }));
    await gateway.run(RevokeAccessDocument, { input: { userPrincipalName: user } });
    expect((await raw.closed).code).toBe(4401);
  });

  test('revokeAccess: each stream of a socket says AccessChanged before the socket goes', async () => {
    const user = aUser();
    const raw = await openAcknowledged(gateway, await gateway.token('ACCOUNT_ADMIN', { user }));
    for (const id of ['1', '2', '3']) raw.send({ id, type: 'subscribe', payload: { query: FEED } });
    for (let told = 0; told < 3; told += 1) await raw.next();
    await gateway.run(RevokeAccessDocument, { input: { userPrincipalName: user } });
    const told = new Set<string>();
    while (told.size < 3) {
      const { id, payload } = await raw.next();
      if (payload?.data?.activity.__typename === 'AccessChanged') told.add(id);
    }
    expect((await raw.closed).code).toBe(4401);
  });

  onServer('sessions of every process are listed, and cut from any of them (server only)', async () => {
    const database = await testDatabase();
    const second = await startTestGateway({ database: shared(database) });
    const first = await startTestGateway({ database });
    try {
      const user = aUser();
      const raw = await openAcknowledged(second, await second.token('ACCOUNT_ADMIN', { user }));
      const [session] = await sessionsOf(first, user, 1);
      expect((await end(session?.id as string, first))?.__typename).toBe('EndSessionSuccess');
      expect((await raw.closed).code).toBe(4401);
      await sessionsOf(second, user, 0);
    } finally {
      await second.stop();
      await first.stop();
    }
  });
});
