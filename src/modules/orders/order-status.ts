/** Where an order is. REFUSED by the provider (rule 4); CANCELLED when all its lines are (rule 15). */
export const OrderStatus = {
  PENDING: 'PENDING',
  COMPLETED: 'COMPLETED',
  CANCELLED: 'CANCELLED',
  REFUSED: 'REFUSED',
} as const;
export type OrderStatus = (typeof OrderStatus)[keyof typeof OrderStatus];

/** Where a line is (rules 4 and 17). */
export const OrderLineStatus = {
  PENDING: 'PENDING',
  ACTIVE: 'ACTIVE',
  CANCELLATION_PENDING: 'CANCELLATION_PENDING',
  CANCELLED: 'CANCELLED',
  REFUSED: 'REFUSED',
} as const;
export type OrderLineStatus = (typeof OrderLineStatus)[keyof typeof OrderLineStatus];

/** Where a cancellation is (rule 17): asked for, confirmed by fulfilment, or refused by it. */
export const CancellationStatus = { PENDING: 'PENDING', CONFIRMED: 'CONFIRMED', REFUSED: 'REFUSED' } as const;
export type CancellationStatus = (typeof CancellationStatus)[keyof typeof CancellationStatus];

/** The moves a line may make. Whoever changes a status asks this table. */
export const orderLineMoves: Record<OrderLineStatus, readonly OrderLineStatus[]> = {
  /** Until the provider has answered to the purchase. */
  PENDING: ['ACTIVE', 'REFUSED'],
  ACTIVE: ['CANCELLATION_PENDING'],
  /** Back to ACTIVE only when fulfilment refuses the cancellation. */
  CANCELLATION_PENDING: ['CANCELLED', 'ACTIVE'],
  /** Final: a cancelled line stays listed and is never revived (rule 18). */
  CANCELLED: [],
  /** Final: a line that the provider refused was never charged. */
  REFUSED: [],
};
