import { codedError, ErrorCode } from '../graphql/errors.js';
import type { Viewer } from './viewer.js';

/** What the revoked are told, over every transport. */
export const ACCESS_REVOKED = 'Your access was revoked. Sign in again once it is given back.';
export const accessRevoked = () => codedError(ErrorCode.UNAUTHENTICATED, ACCESS_REVOKED);

/** Since when whose tokens are void. Filled at start and by the feed's reader, in commit order. */
export class Revocations {
  private readonly revokedAt = new Map<string, number>();

  /** Notes a revocation. @param at milliseconds since 1970 @returns whether it is news */
  add(userPrincipalName: string, at: number): boolean {
    const name = userPrincipalName.toLowerCase();
    const known = this.revokedAt.get(name);
    if (known !== undefined && known >= at) return false;
    this.revokedAt.set(name, at);
    return true;
  }

  /** Whether nobody was ever revoked. */
  get isEmpty(): boolean {
    return this.revokedAt.size === 0;
  }

  /**
   * Whether the viewer's token was issued before their access was revoked. Tokens count in whole seconds; one that does
   * not say when it was issued may be as old as can be.
   */
  covers(viewer: Viewer): boolean {
    const revokedAt = this.revokedAt.get(viewer.userPrincipalName);
    return revokedAt !== undefined && (viewer.issuedAt ?? 0) <= revokedAt;
  }
}
