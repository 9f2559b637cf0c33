import { registerEnumType } from 'type-graphql';
import { CancellationStatus, OrderLineStatus, OrderStatus } from './order-status.js';

registerEnumType(OrderStatus, {
  name: 'OrderStatus',
  description: 'Where an order is.',
  valuesConfig: {
    PENDING: { description: 'Being provisioned.' },
    COMPLETED: { description: 'Provisioned; at least one line stands.' },
    CANCELLED: { description: 'All its lines are cancelled (rule 15).' },
  },
});
registerEnumType(OrderLineStatus, {
  name: 'OrderLineStatus',
  description: 'Where a line is.',
  valuesConfig: {
    ACTIVE: { description: 'Stands.' },
    CANCELLATION_PENDING: { description: 'Its cancellation waits for fulfilment: up to 15 minutes (rule 17).' },
    CANCELLED: { description: 'Cancelled; stays listed (rule 18).' },
  },
});
registerEnumType(CancellationStatus, {
  name: 'CancellationStatus',
  description: 'Where a cancellation is.',
  valuesConfig: {
    PENDING: { description: 'Waits for fulfilment.' },
    CONFIRMED: { description: 'Done: keys and links are dead, the credit is booked.' },
    REFUSED: { description: 'Fulfilment refused it: the lines stand again.' },
  },
});

/** How the credit of a whole cancellation came about. */
export const CreditRule = { FULL: 'FULL', PRORATED: 'PRORATED', MIXED: 'MIXED' } as const;
export type CreditRule = keyof typeof CreditRule;
registerEnumType(CreditRule, {
  name: 'CreditRule',
  description: 'How the credit of a whole cancellation comes about (rule 16).',
  valuesConfig: {
    FULL: { description: 'All of the price: perpetual software.' },
    PRORATED: { description: 'By unused days: software subscriptions.' },
    MIXED: { description: 'Some lines in full, some by unused days.' },
  },
});
