import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { billingReaders } from '../../auth/role-sets.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar, DateTimeScalar } from '../../graphql/scalars.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderLineType, OrderType } from '../orders/order.type.js';
import { InvoiceLineKind } from './invoice.entity.js';

registerEnumType(InvoiceLineKind, {
  name: 'InvoiceLineKind',
  description: 'What a line of an invoice is.',
  valuesConfig: {
    CHARGE: { description: 'A purchase.' },
    CREDIT: { description: 'A cancellation gives back: the amount is negative.' },
  },
});

/** Whether the month of an invoice is over. */
export const InvoiceStatus = { OPEN: 'OPEN', ISSUED: 'ISSUED' } as const;
export type InvoiceStatus = keyof typeof InvoiceStatus;
registerEnumType(InvoiceStatus, {
  name: 'InvoiceStatus',
  description: 'Whether the month of an invoice is over.',
  valuesConfig: {
    OPEN: { description: 'The month runs: lines may be added.' },
    ISSUED: { description: 'The month is over: it is final.' },
  },
});

@ObjectType('InvoiceLine', {
  implements: NodeType,
  description: 'One row of the ledger; never changed once booked.',
})
@Auth(...billingReaders)
export class InvoiceLineType extends NodeType {
  @Field(() => InvoiceLineKind, { description: 'Charge or credit.' })
  kind!: InvoiceLineKind;

  @Field(() => OrderType, { description: 'The order it is about.' })
  order!: Relation<OrderType>;

  @Field(() => OrderLineType, { description: 'The line of the order it is about.' })
  orderLine!: Relation<OrderLineType>;

  @Field({ description: 'In words.' })
  description!: string;

  @Field(() => Int, { description: 'How many.' })
  quantity!: number;

  @Field(() => MoneyType, { description: 'Of one; positive also for credits.' })
  unitAmount!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'What it adds to the invoice: negative for credits.' })
  amount!: Relation<MoneyType>;

  @Field(() => DateTimeScalar, { description: 'When it was booked.' })
  bookedAt!: string;
}

@ObjectType('Invoice', {
  implements: NodeType,
  description: `What a customer's orders cost in a month and currency. For ${billingReaders.join(', ')}.`,
})
@Auth(...billingReaders)
export class InvoiceType extends NodeType {
  @Field({ description: '`G` and nine digits.' })
  number!: string;

  @Field(() => CustomerType, { description: 'Whose.' })
  customer!: Relation<CustomerType>;

  @Field(() => DateScalar, { description: 'First day of the month.' })
  periodStart!: string;

  @Field(() => DateScalar, { description: 'Last day of the month.' })
  periodEnd!: string;

  @Field(() => InvoiceStatus, { description: 'Whether the month is over.' })
  status!: InvoiceStatus;

  @Field(() => MoneyType, { description: 'Charges less credits: the sum of its lines.' })
  total!: Relation<MoneyType>;

  @Field(() => [InvoiceLineType], { description: 'Its lines, as they were booked.' })
  lines!: InvoiceLineType[];
}

/** By what invoices can be ordered. */
export const InvoiceOrderField = { PERIOD_START: 'PERIOD_START' } as const;
export const InvoiceOrder = orderInput('Invoice', InvoiceOrderField, { PERIOD_START: 'By month.' });

@InputType('InvoiceFilter', { description: 'Which invoices. All that is given must hold.' })
export class InvoiceFilter {
  @Field(() => ID, { nullable: true, description: 'Of this customer.' })
  customerId?: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'Of months that start on or after.' })
  from?: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'Of months that start before.' })
  to?: string | null;

  @Field(() => String, { nullable: true, description: 'In this currency: ISO 4217 code.' })
  currency?: string | null;

  @Field(() => InvoiceStatus, { nullable: true, description: 'Of running or of past months.' })
  status?: InvoiceStatus | null;
}

/** Invoices in Relay's form. */
export const InvoiceConnection = connectionTypes(InvoiceType, 'Invoice');

@ArgsType()
export class InvoicesArgs extends PageArgsType {
  @Field(() => InvoiceFilter, { nullable: true, description: 'Which invoices.' })
  filter?: InvoiceFilter | null;

  @Field(() => InvoiceOrder, { nullable: true, description: 'In which order; newest first where left out.' })
  orderBy?: InstanceType<typeof InvoiceOrder> | null;
}
