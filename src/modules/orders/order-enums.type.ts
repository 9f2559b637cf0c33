import { registerEnumType } from 'type-graphql';
import { CancellationStatus, OrderLineStatus, OrderStatus } from './order-status.js';

registerEnumType(OrderStatus, {
  name: 'OrderStatus',
  description: 'How far an order is.',
  valuesConfig: {
    PENDING: {
      description: 'The order waits for the provider to confirm it. Nothing is charged and nothing can be used yet.',
    },
    COMPLETED: {
      description: 'The provider took the order, or at least one of its lines, and not all that it took is cancelled.',
    },
    CANCELLED: { description: 'All lines of the order that the provider took are cancelled.' },
    REFUSED: { description: 'The provider refused the whole order: `refusalReason` says why. Nothing was charged.' },
  },
});
registerEnumType(OrderLineStatus, {
  name: 'OrderLineStatus',
  description: 'How far a line of an order is.',
  valuesConfig: {
    PENDING: { description: 'The line waits for the provider to confirm the order.' },
    ACTIVE: { description: 'The line is neither cancelled nor about to be.' },
    CANCELLATION_PENDING: {
      description: 'A cancellation of the line waits for fulfilment, which takes up to 15 minutes.',
    },
    CANCELLED: { description: 'The line is cancelled for good. It stays listed.' },
    REFUSED: { description: 'The provider refused the line. It was never charged; it stays listed.' },
  },
});
registerEnumType(CancellationStatus, {
  name: 'CancellationStatus',
  description: 'How far a cancellation is.',
  valuesConfig: {
    PENDING: { description: 'The cancellation waits for fulfilment, which takes up to 15 minutes.' },
    CONFIRMED: { description: 'Fulfilment confirmed it: keys and links are revoked and the credit is booked.' },
    REFUSED: { description: 'Fulfilment refused it: the lines are active again.' },
  },
});

/** How the credit of a whole cancellation came about. */
export const CreditRule = { FULL: 'FULL', PRORATED: 'PRORATED', MIXED: 'MIXED' } as const;
export type CreditRule = keyof typeof CreditRule;
registerEnumType(CreditRule, {
  name: 'CreditRule',
  description: 'How the credit of a whole cancellation comes about.',
  valuesConfig: {
    FULL: { description: 'All of the price is given back, as for perpetual software.' },
    PRORATED: { description: 'The unused days are given back, as for software subscriptions.' },
    MIXED: { description: 'Some lines are given back in full, others by their unused days.' },
  },
});
