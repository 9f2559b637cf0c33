import { setTimeout } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { positionOfCursor } from '../../../src/client/feed-cursor.js';
import { type FeedMessage, followFeed, fromGraphqlWs, isRefusal } from '../../../src/client/index.js';
import { type Committed, comparePlaces, type Observation, type Place, type Seen } from './check-history.js';
import { labelOf } from './writers.js';

const FEED = `subscription ($after: String, $filter: ActivityFilter) { activity(after: $after, filter: $filter) { __typename
  ... on ActivityRecorded { cursor entry { action resource { label } } } ... on FeedCaughtUp { cursor }
  ... on FeedCheckpoint { cursor } ... on FeedDraining { cursor } } }`;

interface Message extends FeedMessage {
  entry?: { action: string; resource: { label: string } };
}

/** What makes a subscriber one of its kind. */
export interface SubscriberOptions {
  name: string;
  url: string;
  token: string;
  /** The cursor to begin at. */
  after: string;
  /** Wants entries with this action only. */
  action?: string | undefined;
  /** Stops reading its socket for so long after each twenty entries. */
  pauseMs?: number;
  /** Begins anew at the last cursor, on a new connection, after so many entries. */
  reconnectEvery?: number;
  /** Label of the entry that will revoke it. */
  revokedBy?: string;
}

/** A subscriber that notes what it gets. */
export interface Subscriber {
  name: string;
  observation: Observation;
  /** When each entry arrived, in milliseconds since 1970. */
  arrivedAt: number[];
  /** The last place that a message named. */
  place(): Place;
  /** Connections that it opened. */
  connections(): number;
  /** Goodbyes that it heard. */
  goodbyes(): number;
  /** Whether the gateway has sent it away. */
  isRefused(): boolean;
  /** Pauses no more. */
  hurry(): void;
  stop(): Promise<void>;
}

/** Notes what arrives, whichever way. */
class Notes implements Subscriber {
  readonly seen: Seen[] = [];
  readonly arrivedAt: number[] = [];
  readonly observation: Observation;
  readonly controller = new AbortController();
  cursor: string;
  opened = 0;
  heardGoodbyes = 0;
  refused = false;
  isInHurry = false;
  running: Promise<void> = Promise.resolve();

  constructor({ name, after, action, revokedBy }: SubscriberOptions) {
    this.cursor = after;
    const wants = action === undefined ? {} : { wants: (row: Committed) => row.action === action };
    this.observation = { subscriber: name, after: placeOf(after), ...wants, seen: this.seen, revokedBy };
  }

  get name() {
    return this.observation.subscriber;
  }

  note({ __typename, cursor, entry }: Message): void {
    if (__typename === 'FeedDraining') this.heardGoodbyes += 1;
    if (__typename === 'AccessChanged') this.refused = true;
    if (!cursor) return;
    if (entry) {
      this.seen.push({ ...placeOf(cursor), label: labelOf(entry.action, entry.resource.label) });
      this.arrivedAt.push(Date.now());
    }
    this.cursor = cursor;
  }

  place = () => placeOf(this.cursor);
  connections = () => this.opened;
  goodbyes = () => this.heardGoodbyes;
  isRefused = () => this.refused;
  hurry = () => {
    this.isInHurry = true;
  };
  stop = async () => {
    this.controller.abort();
    await this.running;
  };
}

const placeOf = (cursor: string): Place => positionOfCursor(cursor) as Place;
const filterOf = (action: string | undefined) => (action === undefined ? {} : { filter: { actions: [action] } });
/** Clients of a test come back soon. */
const retryWait = (failures: number) => Math.min(50 * failures, 500);

/** Follows by the package's own client over WebSocket; slow where `pauseMs` says so. */
export function followBySocket(options: SubscriberOptions): Subscriber {
  const notes = new Notes(options);
  const { action, pauseMs, reconnectEvery = Number.POSITIVE_INFINITY } = options;
  const { signal } = notes.controller;
  let line: WebSocket | undefined;
  const client = createClient({
    url: `${options.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${options.token}` },
    retryAttempts: 0,
    on: {
      opened: (socket) => {
        line = socket as WebSocket;
        notes.opened += 1;
      },
    },
  });
  const follow = async () => {
    const feed = followFeed<Message>(fromGraphqlWs(client, FEED), {
      after: notes.cursor,
      variables: filterOf(action),
      signal,
      retryWait,
    });
    let got = 0;
    for await (const message of feed) {
      notes.note(message);
      if (!message.entry) continue;
      got += 1;
      if (got >= reconnectEvery) return;
      if (pauseMs === undefined || notes.isInHurry || got % 20 !== 0) continue;
      line?.pause();
      await setTimeout(pauseMs);
      line?.resume();
    }
  };
  const run = async () => {
    while (!signal.aborted && !notes.refused) await follow();
  };
  notes.running = run()
    .catch((cause) => {
      if (!isRefusal(cause)) throw cause;
      notes.refused = true;
    })
    .finally(() => client.dispose());
  // Told by `stop`.
  notes.running.catch(() => undefined);
  return notes;
}

/** Follows Server-Sent Events by `fetch` alone, as a browser's EventSource does: what it comes back with is the last id. */
export function followByEvents(options: SubscriberOptions): Subscriber {
  const notes = new Notes(options);
  const { signal } = notes.controller;
  const body = JSON.stringify({ query: FEED, variables: { after: options.after, ...filterOf(options.action) } });
  let lastEventId = '';
  const follow = async () => {
    const response = await fetch(`${options.url}/graphql/stream`, {
      method: 'POST',
      body,
      signal,
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${options.token}`,
        ...(lastEventId ? { 'last-event-id': lastEventId } : {}),
      },
    });
    if (!response.ok || !response.body) throw new Error(`answered with ${response.status}`);
    notes.opened += 1;
    let rest = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() as string;
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
        if (field('event') !== 'next') continue;
        const { data, errors } = JSON.parse(field('data') as string);
        if (!data) throw new Error(JSON.stringify(errors));
        lastEventId = field('id') ?? lastEventId;
        notes.note(data.activity);
      }
    }
  };
  const run = async () => {
    for (let failures = 1; !signal.aborted; failures += 1) {
      // A line that breaks is what this is about.
      await follow().catch(() => undefined);
      await setTimeout(retryWait(failures % 10));
    }
  };
  notes.running = run();
  return notes;
}

/** Whether a subscriber has come as far as it must: to its last entry of the log, or to its revocation. */
export function hasArrived(subscriber: Subscriber, log: readonly Committed[]): boolean {
  const { wants = () => true, revokedBy } = subscriber.observation;
  if (revokedBy !== undefined) return subscriber.isRefused();
  const last = log.findLast(wants);
  return last === undefined || comparePlaces(subscriber.place(), last) >= 0;
}
