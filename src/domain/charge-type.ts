/** What a line of an invoice is for, as Microsoft's reconciliation files tell it in their column `ChargeType`. */
export const ChargeType = {
  NEW: 'NEW',
  RENEW: 'RENEW',
  CYCLE_CHARGE: 'CYCLE_CHARGE',
  ADD_QUANTITY: 'ADD_QUANTITY',
  REMOVE_QUANTITY: 'REMOVE_QUANTITY',
  MOVE_QUANTITY: 'MOVE_QUANTITY',
  CANCEL_IMMEDIATE: 'CANCEL_IMMEDIATE',
  CONVERT: 'CONVERT',
  CHANGE_BILLING_PLAN: 'CHANGE_BILLING_PLAN',
  CUSTOMER_CREDIT: 'CUSTOMER_CREDIT',
  EXTEND_TERM: 'EXTEND_TERM',
} as const;
export type ChargeType = (typeof ChargeType)[keyof typeof ChargeType];

/** The words of the files, whose letters are at times large and at times small. */
export const microsoftChargeTypes: Record<ChargeType, string> = {
  NEW: 'new',
  RENEW: 'renew',
  CYCLE_CHARGE: 'cycleCharge',
  ADD_QUANTITY: 'addQuantity',
  REMOVE_QUANTITY: 'removeQuantity',
  MOVE_QUANTITY: 'moveQuantity',
  CANCEL_IMMEDIATE: 'cancelImmediate',
  CONVERT: 'convert',
  CHANGE_BILLING_PLAN: 'changeBillingPlan',
  CUSTOMER_CREDIT: 'customerCredit',
  EXTEND_TERM: 'extendTerm',
};
