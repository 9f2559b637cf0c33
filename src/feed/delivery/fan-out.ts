import pLimit from 'p-limit';
import type { Services } from '../../context/context.js';
import { Group } from './shared-subscription.js';
import type { Render } from './shared-texts.js';
import type { Outlet } from './sink.js';
import { Subscriber } from './subscriber.js';
import type { ActivityStream } from './subscription.js';

/** Subscribers whose old entries are read at once; the others wait for their turn, with a batch each. */
const MAXIMUM_REPLAYS = 4;

/** A stream on its way to a line. */
export interface Delivery extends AsyncIterableIterator<never> {
  /** Resolves when the line was told FeedDraining, or the stream has ended. */
  farewell: Promise<void>;
}

/**
 * Delivers streams that ask for the same together (performance.md section 3): an entry is executed once for each group
 * of subscribers, and its text is shared. What makes two the same is the caller's to say, by the key: document,
 * variables, roles and tenant, which together decide every byte of the answer.
 */
export class FanOut {
  private readonly groups = new Map<string, Group>();
  private readonly replays = pLimit(MAXIMUM_REPLAYS);
  /** Messages delivered by groups so far. */
  delivered = 0;

  constructor(private readonly services: Services) {}

  /** How many there are, for the metrics, and to prove that every exit releases everything. */
  get counts(): { groups: number; subscribers: number; catchingUp: number } {
    const counts = { groups: this.groups.size, subscribers: 0, catchingUp: 0 };
    for (const { size } of this.groups.values()) {
      counts.subscribers += size.all;
      counts.catchingUp += size.catchingUp;
    }
    return counts;
  }

  /**
   * Delivers a stream to a line. What is answered yields nothing: it ends, or throws, when the stream does, and
   * `return` leaves.
   */
  deliver(key: string, stream: ActivityStream, render: Render, outlet: Outlet): Delivery {
    // Streams of a database that is gone end; they must not draw new ones after them.
    const name = `${stream.generation}:${key}`;
    let group = this.groups.get(name);
    if (!group) {
      const count = (messages: number) => {
        this.delivered += messages;
      };
      group = new Group(this.services, stream.filter, render, count, () => this.groups.delete(name), this.replays);
      this.groups.set(name, group);
    }
    const subscriber = new Subscriber(group, stream.viewer, stream.start, stream.generation, outlet);
    group.add(subscriber);
    const done = { value: undefined as never, done: true as const };
    return {
      farewell: subscriber.farewell,
      next: () => subscriber.ended.then(() => done),
      return: async () => {
        subscriber.end();
        return done;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
