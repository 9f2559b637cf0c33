/**
 * Charges a user for entries that were delivered, of which each was made once for so many subscribers.
 * @returns what ends the stream where the user has spent more than there is
 */
export type Charge = (entries: number, sharedBy: number) => Error | null;
