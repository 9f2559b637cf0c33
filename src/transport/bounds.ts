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
  private readonly held = new Map<string, number>();
  /** What counts once however often a holder has it. */
  private readonly shared = new Map<string, Map<string, number>>();

  constructor(private readonly maximum: number) {}

  /** Takes one more. @returns null where the holder has as many as may be */
  take(holder: string): Release | null {
    const count = this.held.get(holder) ?? 0;
    if (count >= this.maximum) return null;
    this.held.set(holder, count + 1);
    return once(() => this.giveBack(holder));
  }

  /** Takes one more of an item, of which one or many are the same to the bound. @returns null where it is one too many */
  share(holder: string, item: string): Release | null {
    const items = this.shared.get(holder) ?? new Map<string, number>();
    const others = items.get(item) ?? 0;
    if (others === 0 && items.size >= this.maximum) return null;
    items.set(item, others + 1);
    this.shared.set(holder, items);
    return once(() => {
      const left = (items.get(item) ?? 1) - 1;
      if (left > 0) items.set(item, left);
      else items.delete(item);
      if (items.size === 0) this.shared.delete(holder);
    });
  }

  private giveBack(holder: string): void {
    const left = (this.held.get(holder) ?? 1) - 1;
    if (left > 0) this.held.set(holder, left);
    else this.held.delete(holder);
  }
}

function once(release: Release): Release {
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    release();
  };
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

/** Whether something is counted by user or by address. */
type Scope = 'PerUser' | 'PerAddress';

/** The bounds of one kind; without a token a user's is the address's. */
interface KindBounds {
  ofUsers: Bound;
  ofNobodys: Bound;
  ofAddresses: Bound;
  /** Those of users who are known already: whoever asks without a token takes no place of theirs. */
  ofKnownAddresses: Bound;
}

/** The bounds on what callers hold at once: per user and per address. */
export class CallerBounds {
  private readonly bounds: Record<Kind, KindBounds>;

  constructor(
    private readonly settings: BoundSettings,
    private readonly refusals: Refusals,
  ) {
    const boundsOf = (kind: string): [string, KindBounds] => {
      const [perUser, perAddress] = [settings[`${kind as Kind}PerUser`], settings[`${kind as Kind}PerAddress`]];
      return [
        kind,
        {
          ofUsers: new Bound(perUser),
          ofNobodys: new Bound(perUser),
          ofAddresses: new Bound(perAddress),
          ofKnownAddresses: new Bound(perAddress),
        },
      ];
    };
    this.bounds = Object.fromEntries(Object.keys(kinds).map(boundsOf)) as Record<Kind, KindBounds>;
  }

  /**
   * Takes one more of a kind for a caller, who has both bounds to keep.
   * @param item what counts once however often it is held
   * @returns how to give it back; else the refusal, which is counted
   */
  take(kind: Kind, caller: Caller, item?: string): Release | GraphQLError {
    const ofUser = this.takeForUser(kind, caller, item);
    if (!isTaken(ofUser)) return ofUser;
    const ofAddress = this.takeForAddress(kind, caller.address, item, caller.user !== null);
    if (isTaken(ofAddress))
      return () => {
        ofUser();
        ofAddress();
      };
    ofUser();
    return ofAddress;
  }

  /** Takes one more for an address. @param isKnown whether whoever asks there is a user who is known */
  takeForAddress(kind: Kind, address: string, item?: string, isKnown = false): Release | GraphQLError {
    const { ofAddresses, ofKnownAddresses } = this.bounds[kind];
    const bound = isKnown ? ofKnownAddresses : ofAddresses;
    return takeOf(bound, networkOf(address), item) ?? this.refuse(kind, 'An address', 'PerAddress');
  }

  /** Takes one more for a user, where the address has been counted already; without a token that bound is the address's. */
  takeForUser(kind: Kind, { user, address }: Caller, item?: string): Release | GraphQLError {
    const { ofUsers, ofNobodys } = this.bounds[kind];
    if (user === null)
      return takeOf(ofNobodys, address, item) ?? this.refuse(kind, 'An address without a token', 'PerUser');
    return takeOf(ofUsers, user, item) ?? this.refuse(kind, 'A user', 'PerUser');
  }

  private refuse(kind: Kind, who: string, scope: Scope): GraphQLError {
    const limit = `${kind}${scope}` as const;
    this.refusals.note(limit);
    return codedError(
      ErrorCode.LIMIT_EXCEEDED,
      `${who} may have ${this.settings[limit]} ${kinds[kind]} at once. Wait until one has ended, or end one.`,
      { extensions: { limit } },
    );
  }
}

const takeOf = (bound: Bound, holder: string, item: string | undefined): Release | null =>
  item === undefined ? bound.take(holder) : bound.share(holder, item);

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
