/** What the mirror reads of an upstream. */
export const SyncKind = {
  CUSTOMERS: 'CUSTOMERS',
  RECORDS: 'RECORDS',
  ORDERS: 'ORDERS',
  ENTITLEMENTS: 'ENTITLEMENTS',
} as const;
export type SyncKind = (typeof SyncKind)[keyof typeof SyncKind];
