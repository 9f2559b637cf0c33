import { Turns } from '../../lib/turns.js';
import type { FeedServices } from '../feed-services.js';
import type { Charge } from './charge.js';
import { ReplayTurns } from './replay-turns.js';
import { SharedSubscription } from './shared-subscription.js';
import type { Render } from './shared-texts.js';
import type { Sink } from './sink.js';
import { Subscriber } from './subscriber.js';
import type { FeedSubscription } from './subscription.js';

/** What is delivered to whom. */
export interface DeliveryRequest {
  /** What decides every byte of the answer: document, variables, roles and tenant. Equal keys share executions. */
  key: string;
  subscription: FeedSubscription;
  render: Render;
  sink: Sink;
  charge: Charge;
}

/**
 * A subscription that is being delivered. Iterated, it yields nothing: what there is goes to the sink. It ends, or
 * throws, when the subscription does, and `return` ends it.
 */
export interface Delivery extends AsyncIterableIterator<never> {
  /** Resolves with true when the subscriber was told FeedDraining, with false when it has ended without. */
  drained: Promise<boolean>;
}

/**
 * Delivers subscriptions that ask for the same together: an entry is executed once for each shared subscription, and
 * its text goes to all of its subscribers, whether over WebSocket or as an event stream.
 */
export class FanOut {
  private readonly shared = new Map<string, SharedSubscription>();
  private readonly turns = new Turns();
  private readonly replays = new ReplayTurns(this.turns);
  /** Messages delivered to live subscribers so far. */
  delivered = 0;

  constructor(private readonly services: FeedServices) {}

  /** How many there are, for the metrics, and to prove that every exit releases everything. */
  get counts(): { sharedSubscriptions: number; subscribers: number; catchingUp: number } {
    const counts = { sharedSubscriptions: this.shared.size, subscribers: 0, catchingUp: 0 };
    for (const shared of this.shared.values()) {
      counts.subscribers += shared.count();
      counts.catchingUp += shared.count('catching-up');
    }
    return counts;
  }

  /** Delivers a subscription to a sink. */
  deliver({ key, subscription, render, sink, charge }: DeliveryRequest): Delivery {
    const shared = this.sharedFor(key, subscription, render);
    const subscriber = new Subscriber(shared, subscription, sink, charge);
    shared.add(subscriber);
    const done = { value: undefined as never, done: true as const };
    return {
      drained: subscriber.drained,
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

  private sharedFor(key: string, { generation, filter, user }: FeedSubscription, render: Render): SharedSubscription {
    // Subscriptions to a database that is gone end; they must not draw new ones after them.
    const name = `${generation}:${key}`;
    const known = this.shared.get(name);
    if (known) return known;
    const made = new SharedSubscription({
      services: this.services,
      filter,
      render,
      onDelivered: (messages) => {
        this.delivered += messages;
      },
      onEmpty: () => this.shared.delete(name),
      user,
      replays: this.replays,
      name,
      turns: this.turns,
    });
    this.shared.set(name, made);
    return made;
  }
}
