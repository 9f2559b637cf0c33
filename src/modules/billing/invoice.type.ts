import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { AtMost } from '../../graphql/cost.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import { PeriodType } from '../../graphql/period.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar, DateTimeScalar } from '../../graphql/scalars.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderType } from '../orders/order.type.js';
import { OrderLineType } from '../orders/order-line.type.js';
import { InvoiceLineKind } from './invoice.entity.js';

registerEnumType(InvoiceLineKind, {
  name: 'InvoiceLineKind',
  description: 'What a line of an invoice stands for.',
  valuesConfig: {
    CHARGE: { description: 'A purchase: the amount is positive.' },
    CREDIT: { description: 'A confirmed cancellation, which gives back: the amount is negative.' },
  },
});

/** Whether the month of an invoice is over. */
export const InvoiceStatus = { OPEN: 'OPEN', ISSUED: 'ISSUED' } as const;
export type InvoiceStatus = keyof typeof InvoiceStatus;
registerEnumType(InvoiceStatus, {
  name: 'InvoiceStatus',
  description: 'Whether an invoice may still change.',
  valuesConfig: {
    OPEN: { description: 'The month is still running, and lines may be added.' },
    ISSUED: { description: 'The month is over in UTC, and the invoice is final.' },
  },
});

@ObjectType('InvoiceLine', {
  implements: NodeType,
  description: 'One charge or credit, which is never changed once it is booked.',
})
export class InvoiceLineType extends NodeType {
  @Field(() => InvoiceLineKind, { description: 'Whether the line charges or gives back.' })
  kind!: InvoiceLineKind;

  @Field(() => OrderType, { description: 'The order that was placed or cancelled.' })
  order!: Relation<OrderType>;

  @Field(() => OrderLineType, { description: 'The line of the order that was bought or cancelled.' })
  orderLine!: Relation<OrderLineType>;

  @Field({ description: 'What was bought or given back, in words for people.' })
  description!: string;

  @Field(() => Int, { description: 'How many units were bought or cancelled.' })
  quantity!: number;

  @Field(() => MoneyType, { description: 'The price or the credit of one unit; positive for credits too.' })
  unitAmount!: Relation<MoneyType>;

  @Field(() => MoneyType, {
    description: 'What the line adds to the invoice: the unit amount times the quantity, negative for credits.',
  })
  amount!: Relation<MoneyType>;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was booked, in UTC.' })
  bookedAt!: string;
}

@ObjectType('Invoice', {
  implements: NodeType,
  description:
    'What the orders of a customer cost in one calendar month (UTC) and one currency, less what cancellations gave back.',
})
export class InvoiceType extends NodeType {
  @Field({ description: 'The number of the invoice: `G` and nine digits.' })
  number!: string;

  @Field(() => CustomerType, { description: 'The customer that the invoice is for.' })
  customer!: Relation<CustomerType>;

  @Field(() => DateScalar, { description: 'The first day of the month; `period` has both days.' })
  periodStart!: string;

  @Field(() => DateScalar, { description: 'The last day of the month; `period` has both days.' })
  periodEnd!: string;

  @Field(() => PeriodType, { description: 'The calendar month that the invoice is for.' })
  period!: Relation<PeriodType>;

  @Field(() => InvoiceStatus, { description: 'Whether the invoice may still change.' })
  status!: InvoiceStatus;

  @Field(() => MoneyType, {
    description: 'The sum of all lines: charges less credits. It is negative where more was given back than bought.',
  })
  total!: Relation<MoneyType>;

  @AtMost(100)
  @Field(() => [InvoiceLineType], { description: 'The charges and credits, in the order in which they were booked.' })
  lines!: InvoiceLineType[];
}

/** What invoices can be ordered by. */
export const InvoiceOrderField = { PERIOD_START: 'PERIOD_START' } as const;
export const InvoiceOrder = orderInput('Invoice', InvoiceOrderField, { PERIOD_START: 'The first day of the month.' });

@InputType('InvoiceFilter', {
  description: 'Narrows a list of invoices. Invoices must meet every condition that is given.',
})
export class InvoiceFilter {
  @Field(() => ID, { nullable: true, description: 'Only invoices of the customer with this global id.' })
  customerId?: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'Only invoices of months that start on this day or later.' })
  from?: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'Only invoices of months that start before this day.' })
  to?: string | null;

  @Field(() => String, { nullable: true, description: 'Only invoices in this currency, by its ISO 4217 code.' })
  currency?: string | null;

  @Field(() => InvoiceStatus, {
    nullable: true,
    description: 'Only invoices of the running month (`OPEN`) or of past ones (`ISSUED`).',
  })
  status?: InvoiceStatus | null;
}

/** Invoices in Relay's form. */
export const InvoiceConnection = connectionTypes(InvoiceType, 'Invoice');

@ArgsType()
export class InvoicesArgs extends PageArgsType {
  @Field(() => InvoiceFilter, {
    nullable: true,
    description: 'Which invoices to list; all that you may see where it is left out.',
  })
  filter?: InvoiceFilter | null;

  @Field(() => InvoiceOrder, {
    nullable: true,
    description: 'How to order the list; the newest month comes first where it is left out.',
  })
  orderBy?: InstanceType<typeof InvoiceOrder> | null;
}
