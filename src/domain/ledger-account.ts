/** The accounts that amounts are booked on. What customers owe is known by customer. */
export const LedgerAccount = {
  /** What a customer owes. */
  ACCOUNTS_RECEIVABLE: 'ACCOUNTS_RECEIVABLE',
  /** What was sold. */
  SALES: 'SALES',
  /** What was given back of it: credits of every kind. */
  SALES_RETURNS: 'SALES_RETURNS',
} as const;
export type LedgerAccount = (typeof LedgerAccount)[keyof typeof LedgerAccount];
