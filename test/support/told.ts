import { type Client, createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { openEvents } from './event-stream.js';
import type { TestGateway } from './gateway.js';
import type { TestTenant } from './tenants.js';

/** What was told to one of two tenants, as it came over the wire. */
export interface Told {
  /** Which tenant. */
  to: number;
  /** What was asked, for people. */
  asked: string;
  text: string;
}

/** Every field of an entry of the log that a tenant's administrator may read. */
const ENTRY = `{ id at action outcome productIds correlationId actor { userPrincipalName role application issuer tenantId objectId }
  customer { id domain companyName contact { firstName lastName email } } order { id number total { amount currency } } resource { type nodeId label node { __typename id } }
  detail { __typename ... on OrderPlacedDetail { orderNumber total { amount } } ... on CancellationRequestedDetail { orderNumber reason }
    ... on CancellationConfirmedDetail { orderNumber } ... on SupportRequestSubmittedDetail { supportRequestNumber topic } ... on AccessDeniedDetail { operation why: reason } } }`;
/** Both feeds as streams tell them, with every message's cursor. */
export const FEEDS = [
  `subscription ($after: String, $filter: ActivityFilter) { activity(after: $after, filter: $filter) { __typename ... on FeedMessage { cursor } ... on ActivityRecorded { entry ${ENTRY} } } }`,
  `subscription ($after: String, $customerId: ID) { cancellationConfirmed(after: $after, customerId: $customerId) { __typename ... on FeedMessage { cursor } ... on CancellationConfirmed { at cancellation { id status reason customer { id domain } order { number } lines { id } } } } }`,
] as const;

/** Tells two tenants what they ask for, over every transport, and keeps what they were told. */
export class Conversation {
  readonly told: Told[] = [];
  private readonly sockets: Client[];
  private readonly left: (() => void)[] = [];

  constructor(
    private readonly gateway: TestGateway,
    private readonly tenants: readonly TestTenant[],
  ) {
    this.sockets = tenants.map((_, to) =>
      createClient({
        url: `${gateway.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: this.authorization(to) },
        retryAttempts: 0,
      }),
    );
  }

  authorization(to: number): string {
    return `Bearer ${((this.tenants[to] as TestTenant).admin as { token: string }).token}`;
  }

  /** POSTs an operation; answers the body. */
  async overHttp(
    to: number,
    query: string,
    variables: object = {},
    headers: Record<string, string> = {},
  ): Promise<string> {
    const response = await fetch(`${this.gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: this.authorization(to), ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const body = await response.text();
    this.keep(to, `${query} ${JSON.stringify(variables)}`, `${JSON.stringify([...response.headers])}\n${body}`);
    return body;
  }

  /** Runs an operation over the tenant's socket: a subscription until it has caught up. */
  async overSocket(to: number, query: string, variables: Record<string, unknown> = {}): Promise<void> {
    const messages = (this.sockets[to] as Client).iterate({ query, variables });
    try {
      for await (const message of messages) {
        const text = JSON.stringify(message);
        this.keep(to, `${query} ${JSON.stringify(variables)}`, text);
        if (text.includes('"FeedCaughtUp"')) break;
      }
    } catch (refused) {
      // Refused before it ran: a list of errors.
      this.keep(to, query, JSON.stringify(refused));
    }
  }

  /** Reads an event stream until it has caught up. */
  async asEvents(to: number, query: string, variables: Record<string, unknown>): Promise<void> {
    const stream = await openEvents(this.gateway, { query, variables, as: this.tenants[to]?.admin as never });
    for (let event = await stream.next(); event; event = await stream.next()) {
      const text = JSON.stringify([stream.headers, event]);
      this.keep(to, `${query} ${JSON.stringify(variables)}`, text);
      if (text.includes('"FeedCaughtUp"') || event.event === 'complete') break;
    }
    stream.end();
  }

  /** Reads an export. Its `link` and the filter of a manifest are what the caller itself asked for. */
  async asFile(to: number, address: string): Promise<void> {
    const response = await fetch(`${this.gateway.url}/exports/activity.${address}`, {
      headers: { authorization: this.authorization(to) },
    });
    const headers = [...response.headers].filter(([name]) => name !== 'link');
    this.keep(to, address, `${JSON.stringify(headers)}\n${(await response.text()).replace(/"filter":\{[^}]*\}/, '')}`);
  }

  /** Follows both feeds from now on, by socket and as events. */
  async follow(to: number): Promise<void> {
    const { admin } = this.tenants[to] as TestTenant;
    for (const query of FEEDS) {
      const events = await openEvents(this.gateway, { query, as: admin });
      const socket = await this.gateway.subscribe(query, {}, admin);
      for (const [asked, next] of [
        ['live events', events.next],
        ['live socket', socket.next],
      ] as const) {
        // The first message says that it is live.
        this.keep(to, asked, JSON.stringify(await next()));
        const read = async () => {
          for (let message = await next(); message; message = await next())
            this.keep(to, asked, JSON.stringify(message));
        };
        void read().catch(() => undefined);
      }
      this.left.push(events.end, () => void socket.end());
    }
  }

  /** How often a text was told live. */
  heardLive(to: number, text: string): number {
    return this.told.filter((one) => one.to === to && one.asked.startsWith('live') && one.text.includes(text)).length;
  }

  async end(): Promise<void> {
    for (const leave of this.left) leave();
    for (const socket of this.sockets) await socket.dispose();
  }

  private keep(to: number, asked: string, text: string): void {
    this.told.push({ to, asked, text });
  }
}
