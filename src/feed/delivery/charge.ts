/** Charges a user for a stream. Each answers what ends the stream where the user has spent more than there is. */
export interface Charge {
  /** For entries that were delivered, of which each was made once for so many subscribers. */
  delivered(entries: number, sharedBy: number): Error | null;
  /** For entries that were looked at for a filter, whether they passed or not, and for those read out of the table. */
  read(lookedAt: number, entries: number): Error | null;
}
