import type { GraphQLError } from 'graphql';
import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Viewer } from './viewer.js';

/** What the revoked are told, over every transport. */
export const ACCESS_REVOKED = 'Your access was revoked. Sign in again once it is given back.';
export const accessRevoked = () => codedError(ErrorCode.UNAUTHENTICATED, ACCESS_REVOKED);

const outOfTouch = () =>
  codedError(
    ErrorCode.UNAVAILABLE,
    'This gateway has not heard from its database for a while, and so cannot tell whose access was revoked. Try again in a few seconds.',
    { extensions: { http: { status: 503 } } },
  );

/** What stands of somebody's access, as of a revision: revoked, or given back. */
export interface AccessChange {
  /** Key of an identity; or `name:` and a user principal name, for revocations from before identities were kept. */
  identity: string;
  isRevoked: boolean;
  /** Numbers the changes of a database in the order in which they were committed, from 1. */
  revision: number;
}

/** The key under which a revocation by mere name is kept. */
export const nameKey = (userPrincipalName: string) => `name:${userPrincipalName}`;

/** Whose access is revoked, as this process knows it. `AccessWatch` keeps it true. */
export class Revocations {
  private readonly changes = new Map<string, AccessChange>();
  private readonly revoked = new Set<string>();
  private knowsNames = false;
  private goodUntil = Number.POSITIVE_INFINITY;
  /** Every change up to it is known. */
  revision = 0;

  /** Notes a change, unless a later one of the same identity is known. @returns whether it is news */
  note(change: AccessChange): boolean {
    const known = this.changes.get(change.identity);
    if (known && known.revision >= change.revision) return false;
    this.changes.set(change.identity, change);
    if (change.isRevoked) this.revoked.add(change.identity);
    else this.revoked.delete(change.identity);
    this.knowsNames ||= change.identity.startsWith(nameKey(''));
    this.revision = Math.max(this.revision, change.revision);
    return true;
  }

  /** Says until when what is known may be trusted. @param instant of `performance.now()` */
  trustUntil(instant: number): void {
    this.goodUntil = instant;
  }

  /** Whether nobody is revoked. */
  get isEmpty(): boolean {
    return this.revoked.size === 0;
  }

  /** Whether a change may have been committed that this process has not heard of. */
  get isOutOfTouch(): boolean {
    return performance.now() >= this.goodUntil;
  }

  /** @throws UNAVAILABLE where a change may have been committed that this process has not heard of */
  requireCurrent(): void {
    if (this.isOutOfTouch) throw outOfTouch();
  }

  /** Whether the viewer's access is revoked, whatever the token. */
  covers({ identity, userPrincipalName }: Viewer): boolean {
    if (this.revoked.size === 0 || !identity) return false;
    return this.revoked.has(identity.key) || (this.knowsNames && this.revoked.has(nameKey(userPrincipalName)));
  }

  /** Why nothing may be done for the viewer now: revoked, or it cannot be told; null where it may. */
  refusal(viewer: Viewer): GraphQLError | null {
    if (!viewer.identity) return null;
    if (this.covers(viewer)) return accessRevoked();
    return this.isOutOfTouch ? outOfTouch() : null;
  }
}
