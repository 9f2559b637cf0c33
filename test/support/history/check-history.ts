/** Where an entry lies: what its cursor says. */
export interface Place {
  xid: bigint;
  seq: bigint;
}

/** A row of the log as it was committed. */
export interface Committed extends Place {
  /** Unique in the log. */
  label: string;
  action: string;
}

/** An entry as it arrived. */
export interface Seen extends Place {
  label: string;
}

/** What one subscriber got, in the order in which it came. */
export interface Observation {
  subscriber: string;
  /** Everything after it was asked for. */
  after: Place;
  /** Which entries were asked for; left out: all. */
  wants?: (row: Committed) => boolean;
  seen: readonly Seen[];
  /** Label of the entry that revoked the subscriber: nothing from there on may reach it. */
  revokedBy?: string | undefined;
}

/** One broken promise. */
export interface Violation {
  kind:
    | 'missing'
    | 'invented'
    | 'repeated'
    | 'out of order'
    | 'orders differ'
    | 'delivered after revocation'
    | 'acknowledged but not there'
    | 'not a log';
  subscriber: string;
  what: string;
}

/** Negative: `a` comes first. */
export const comparePlaces = (a: Place, b: Place): number => Number(a.xid - b.xid) || Number(a.seq - b.seq);
const key = ({ xid, seq }: Place): string => `${xid}/${seq}`;

/**
 * Holds what subscribers got against what was committed (in the manner of Elle: from what clients saw, not from how the
 * server works), and answers every broken promise of the feed: nothing missing, invented or repeated by
 * cursor, one order for all, nothing after a revocation. One who was revoked may have got less, but no gap.
 * @param log every committed row, in commit order
 * @param acknowledged labels of writes whose commit was told as done
 */
export function checkHistory(
  log: readonly Committed[],
  observations: readonly Observation[],
  acknowledged: Iterable<string> = [],
): Violation[] {
  const labels = new Map(log.map((row, index) => [row.label, index]));
  return [
    ...faultsOfLog(log, labels),
    ...[...acknowledged]
      .filter((label) => !labels.has(label))
      .map((what): Violation => ({ kind: 'acknowledged but not there', subscriber: 'a writer', what })),
    ...observations.flatMap((observation) => checkOne(log, labels, observation)),
    ...differingOrders(observations),
  ];
}

function faultsOfLog(log: readonly Committed[], labels: ReadonlyMap<string, number>): Violation[] {
  const faults: string[] = [];
  if (labels.size < log.length) faults.push('labels are not unique');
  for (const [index, row] of log.entries()) {
    const before = log[index - 1];
    if (before && comparePlaces(before, row) >= 0) faults.push(`${row.label} is not after ${before.label}`);
  }
  return faults.map((what) => ({ kind: 'not a log', subscriber: 'the truth', what }));
}

function checkOne(
  log: readonly Committed[],
  labels: ReadonlyMap<string, number>,
  { subscriber, after, wants = () => true, seen, revokedBy }: Observation,
): Violation[] {
  const violations: Violation[] = [];
  const tell = (kind: Violation['kind'], what: string) => violations.push({ kind, subscriber, what });
  const revokedAt = revokedBy === undefined ? undefined : labels.get(revokedBy);
  if (revokedBy !== undefined && revokedAt === undefined)
    tell('invented', `revoked by ${revokedBy}, which is not there`);
  const got = new Set<string>();
  let furthest: Place = after;
  for (const entry of seen) {
    const index = labels.get(entry.label);
    const row = index === undefined ? undefined : log[index];
    if (!row || key(row) !== key(entry)) tell('invented', `${entry.label} at ${key(entry)}`);
    else if (!wants(row) || comparePlaces(row, after) <= 0) tell('invented', `${entry.label} was not asked for`);
    else if (revokedAt !== undefined && (index as number) >= revokedAt) tell('delivered after revocation', entry.label);
    if (got.has(key(entry))) tell('repeated', `${entry.label} at ${key(entry)}`);
    else if (comparePlaces(entry, furthest) < 0) tell('out of order', `${entry.label} after ${key(furthest)}`);
    got.add(key(entry));
    if (comparePlaces(entry, furthest) > 0) furthest = entry;
  }
  const isOwed = (row: Committed) => revokedBy === undefined || comparePlaces(row, furthest) < 0;
  for (const row of log) {
    if (comparePlaces(row, after) > 0 && wants(row) && isOwed(row) && !got.has(key(row)))
      tell(
        'missing',
        `${row.label} at ${key(row)}${comparePlaces(row, furthest) > 0 ? ', where it had not come yet' : ''}`,
      );
  }
  return violations;
}

/** Two subscribers who got the same entries in another order: by label, whatever their cursors say. */
function differingOrders(observations: readonly Observation[]): Violation[] {
  const ranks = observations.map(({ seen }) => new Map([...seen].reverse().map(({ label }, rank) => [label, -rank])));
  return observations.flatMap(({ subscriber, seen }, one) =>
    observations.slice(one + 1).flatMap((other, offset): Violation[] => {
      const rankOf = ranks[one + 1 + offset] as Map<string, number>;
      const firstSeen = [...new Set(seen.map(({ label }) => label))].filter((label) => rankOf.has(label));
      const at = firstSeen.findIndex(
        (label, index) =>
          index > 0 && (rankOf.get(firstSeen[index - 1] as string) as number) > (rankOf.get(label) as number),
      );
      if (at < 0) return [];
      return [{ kind: 'orders differ', subscriber, what: `${firstSeen[at]} comes earlier at ${other.subscriber}` }];
    }),
  );
}
