/** One request of a user, or one entry that a stream of theirs was sent. Instants are of one clock, in milliseconds. */
export interface Observed {
  user: string;
  what: 'read' | 'done' | 'heard';
  /** When the request was sent; of what was heard, when its stream was opened. */
  begunAt: number;
  isServed: boolean;
  /** Id of the entry that was heard. */
  entryId?: string;
}

/** One revocation as its caller saw it. */
export interface Revoked {
  user: string;
  answeredAt: number;
  /** When giving access back was asked for. */
  restoreAskedAt: number;
}

/** One entry of the log, in commit order. */
export interface Logged {
  id: string;
  actor: string;
  action: string;
  /** Name of the user, for what is done to one. */
  label: string;
}

/** What was served after a revocation had been answered, or done after the log's own entry of it; none where all held. */
export function afterRevocation(
  observed: readonly Observed[],
  revocations: readonly Revoked[],
  log: readonly Logged[],
): string[] {
  const violations: string[] = [];
  for (const { user, answeredAt, restoreAskedAt } of revocations) {
    const late = observed.filter(
      (one) =>
        one.user === user &&
        one.what !== 'heard' &&
        one.isServed &&
        one.begunAt > answeredAt &&
        one.begunAt < restoreAskedAt,
    );
    for (const { what, begunAt } of late)
      violations.push(
        `${user}: ${what}, begun ${(begunAt - answeredAt).toFixed(1)} ms after revokeAccess had answered`,
      );
  }
  const places = new Map(log.map(({ id }, place) => [id, place]));
  const revoked = new Set<string>();
  const revokedAt = new Map<string, number[]>();
  for (const [place, { actor, action, label }] of log.entries()) {
    if (action === 'ACCESS_REVOKED') {
      revoked.add(label);
      revokedAt.set(label, [...(revokedAt.get(label) ?? []), place]);
    } else if (action === 'ACCESS_RESTORED') revoked.delete(label);
    else if (revoked.has(actor)) violations.push(`${actor}: ${action} in the log after ACCESS_REVOKED`);
  }
  for (const { user, begunAt, entryId } of observed.filter(({ what }) => what === 'heard')) {
    // The revocation that ends a stream is the first one answered after it was opened.
    const index = revocations.filter((one) => one.user === user).findIndex(({ answeredAt }) => answeredAt > begunAt);
    const end = index < 0 ? undefined : revokedAt.get(user)?.[index];
    const place = places.get(entryId as string);
    if (end !== undefined && place !== undefined && place > end)
      violations.push(`${user}: heard an entry that was committed after ACCESS_REVOKED`);
  }
  return violations;
}
