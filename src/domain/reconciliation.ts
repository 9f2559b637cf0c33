/** Whether a file holds the lines of an invoice, or what has not been invoiced yet. */
export const StatementKind = { BILLED: 'BILLED', UNBILLED: 'UNBILLED' } as const;
export type StatementKind = keyof typeof StatementKind;

/** What holding a line of Microsoft's against ours came to. */
export const Verdict = {
  EQUAL: 'EQUAL',
  DIFFERENT: 'DIFFERENT',
  MISSING_HERE: 'MISSING_HERE',
  MISSING_THERE: 'MISSING_THERE',
} as const;
export type Verdict = keyof typeof Verdict;

/** Why a line of Microsoft's and one of ours were taken for the same. */
export const MatchedBy = { ORDER: 'ORDER', CONTENT: 'CONTENT' } as const;
export type MatchedBy = keyof typeof MatchedBy;
