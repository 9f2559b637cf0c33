import { createHash } from 'node:crypto';
import type { GraphQLError } from 'graphql';
import type { Viewer } from '../auth/viewer.js';
import type { Bounds as BoundSettings } from '../config/bounds.js';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Refusals } from '../graphql/refusals.js';
import { networkOf } from '../lib/network.js';

/** Gives back what was taken; again, it does nothing. */
export type Release = () => void;

/** Who holds something: a user and an address, the user absent without a token. */
export interface Caller {
  user: string | null;
  address: string;
}

/** The caller of a request. */
export function callerOf({ identity }: Viewer, address: string): Caller {
  return { user: identity?.key ?? null, address: networkOf(address) };
}

/** Whose turn it is when a caller's documents are parsed: a user's on all transports, without a token the address's. */
export const turnOf = ({ user, address }: Caller): string => user ?? address;

/** How many of something each holder has, and whether one more may be. */
class Bound {
  private readonly held = new Map<string, Map<unknown, number>>();

  constructor(private readonly maximum: number) {}

  /** Takes one more; what is the same item counts once. @returns null where the holder has as many as may be */
  take(holder: string, item: unknown): Release | null {
    const items = this.held.get(holder) ?? new Map<unknown, number>();
    const others = items.get(item) ?? 0;
    if (others === 0 && items.size >= this.maximum) return null;
    items.set(item, others + 1);
    this.held.set(holder, items);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (items.get(item) ?? 1) - 1;
      if (left > 0) items.set(item, left);
      else items.delete(item);
      if (items.size === 0) this.held.delete(holder);
    };
  }
}

/** What callers hold, and how it is called where there is too much of it. */
const kinds = {
  sockets: 'WebSockets',
  operations: 'operations',
  streams: 'subscriptions',
  eventStreams: 'event streams',
  subscriptions: 'different subscriptions',
  exports: 'exports',
  uploads: 'uploads',
} as const;
type Kind = keyof typeof kinds;

/** The bounds on what callers hold at once: per user and per address. */
export class CallerBounds {
  private readonly bounds = new Map<string, Bound>();

  constructor(
    private readonly settings: BoundSettings,
    private readonly refusals: Refusals,
  ) {}

  /**
   * Takes one more of a kind for a caller, who has both bounds to keep.
   * @param item what counts once however often it is held
   * @returns how to give it back; else the refusal, which is counted
   */
  take(kind: Kind, caller: Caller, item: unknown = Symbol(kind)): Release | GraphQLError {
    const ofUser = this.takeForUser(kind, caller, item);
    if (!isTaken(ofUser)) return ofUser;
    const ofAddress = this.takeForAddress(kind, caller.address, item);
    if (isTaken(ofAddress))
      return () => {
        ofUser();
        ofAddress();
      };
    ofUser();
    return ofAddress;
  }

  /** Takes one more for an address, before anybody has said who they are. */
  takeForAddress(kind: Kind, address: string, item: unknown = Symbol(kind)): Release | GraphQLError {
    return this.takeOne(`${kind}PerAddress`, networkOf(address), item) ?? this.refuse(kind, 'An address', 'PerAddress');
  }

  /** Takes one more for a user, where the address has been counted already; without a token that bound is the address's. */
  takeForUser(kind: Kind, { user, address }: Caller, item: unknown = Symbol(kind)): Release | GraphQLError {
    const [holder, who] = user === null ? [address, 'An address without a token'] : [`user ${user}`, 'A user'];
    return this.takeOne(`${kind}PerUser`, holder, item) ?? this.refuse(kind, who, 'PerUser');
  }

  private takeOne(name: keyof BoundSettings, holder: string, item: unknown): Release | null {
    let bound = this.bounds.get(name);
    if (!bound) {
      bound = new Bound(this.settings[name]);
      this.bounds.set(name, bound);
    }
    return bound.take(holder, item);
  }

  private refuse(kind: Kind, who: string, scope: 'PerUser' | 'PerAddress'): GraphQLError {
    const limit = `${kind}${scope}` as const;
    this.refusals.note(limit);
    return codedError(
      ErrorCode.LIMIT_EXCEEDED,
      `${who} may have ${this.settings[limit]} ${kinds[kind]} at once. Wait until one has ended, or end one.`,
      { extensions: { limit } },
    );
  }
}

/** Whether something was taken. */
export function isTaken(taken: Release | GraphQLError): taken is Release {
  return typeof taken === 'function';
}

/** Takes a subscription for a caller. @param key what it shares with others that ask for the same */
export function holdStream(bounds: CallerBounds, caller: Caller, key: string): Release | GraphQLError {
  const stream = bounds.take('streams', caller);
  if (!isTaken(stream)) return stream;
  // Keys are as long as their documents, and are held for as long as the stream is.
  const subscription = bounds.take('subscriptions', caller, createHash('sha256').update(key).digest('base64'));
  if (!isTaken(subscription)) {
    stream();
    return subscription;
  }
  return () => {
    stream();
    subscription();
  };
}
