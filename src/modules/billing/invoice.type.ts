import { ArgsType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ChargeType } from '../../domain/charge-type.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { AtMost } from '../../graphql/cost.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import { PeriodType } from '../../graphql/period.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar, DateTimeScalar } from '../../graphql/scalars.js';
import { ProductType } from '../catalog/catalog.type.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderType } from '../orders/order.type.js';
import { OrderLineType } from '../orders/order-line.type.js';
import { InvoiceDocumentType, InvoiceLineKind } from './invoice.entity.js';

registerEnumType(InvoiceLineKind, {
  name: 'InvoiceLineKind',
  description: 'Whether a line of an invoice takes or gives back; `ChargeType` says for what.',
  valuesConfig: {
    CHARGE: { description: 'It takes: the amount is positive.' },
    CREDIT: { description: 'It gives back: the amount is negative.' },
  },
});

registerEnumType(ChargeType, {
  name: 'ChargeType',
  description: "What a line of an invoice is for, as Microsoft's reconciliation files tell it.",
  valuesConfig: {
    NEW: { description: 'What was bought, `new` in the files.' },
    RENEW: { description: 'One more term of a subscription, `renew` in the files.' },
    CYCLE_CHARGE: { description: 'The next part of a term that is billed in parts, `cycleCharge` in the files.' },
    ADD_QUANTITY: { description: 'More units of a running term, `addQuantity` in the files.' },
    REMOVE_QUANTITY: { description: 'Fewer units of a running term, `removeQuantity` in the files.' },
    MOVE_QUANTITY: { description: 'Units that went to or came from another term, `moveQuantity` in the files.' },
    CANCEL_IMMEDIATE: { description: 'What a confirmed cancellation gives back, `cancelImmediate` in the files.' },
    CONVERT: { description: 'A subscription that became another one, `convert` in the files.' },
    CHANGE_BILLING_PLAN: { description: 'A term that is billed in another way, `changeBillingPlan` in the files.' },
    CUSTOMER_CREDIT: { description: 'A credit that no cancellation gave, `customerCredit` in the files.' },
    EXTEND_TERM: { description: 'A term that ends later than it was bought to, `extendTerm` in the files.' },
  },
});

registerEnumType(InvoiceDocumentType, {
  name: 'InvoiceDocumentType',
  description: 'What an invoice is as a document.',
  valuesConfig: {
    INVOICE: { description: 'What is owed for a month, less what was given back before the month was closed.' },
    CREDIT_NOTE: { description: 'What is given back of an invoice whose month is closed already.' },
  },
});

/** Whether the month of an invoice is closed, and the invoice issued. */
export const InvoiceStatus = { OPEN: 'OPEN', ISSUED: 'ISSUED' } as const;
export type InvoiceStatus = keyof typeof InvoiceStatus;
registerEnumType(InvoiceStatus, {
  name: 'InvoiceStatus',
  description: 'Whether an invoice may still change.',
  valuesConfig: {
    OPEN: { description: 'The month is not closed yet, and lines may be added.' },
    ISSUED: { description: 'The month is closed: the invoice has its number, and is final.' },
  },
});

@ObjectType('InvoiceLine', {
  implements: NodeType,
  description: 'One charge or credit, which is never changed once it is booked.',
})
export class InvoiceLineType extends NodeType {
  @Field(() => InvoiceLineKind, { description: 'Whether the line charges or gives back.' })
  kind!: InvoiceLineKind;

  @Field(() => ChargeType, { description: 'What is charged or given back for.' })
  chargeType!: ChargeType;

  @Field(() => DateScalar, { nullable: true, description: 'The first day of `chargePeriod`; null where that is.' })
  chargeStart!: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'The last day of `chargePeriod`; null where that is.' })
  chargeEnd!: string | null;

  @Field(() => PeriodType, {
    nullable: true,
    description: 'The days that are charged or given back; null for perpetual software, which has no term.',
  })
  chargePeriod!: Relation<PeriodType | null>;

  @Field(() => OrderType, { description: 'The order that was placed or cancelled.' })
  order!: Relation<OrderType>;

  @Field(() => ProductType, { description: 'The product that was bought or given back.' })
  product!: Relation<ProductType>;

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

  @Field(() => MoneyType, {
    nullable: true,
    description:
      "The tax of the line as Microsoft's reconciliation file has it, negative for credits: on top of `amount`, or within it where the prices of the market include tax. Null for what was booked here, as no taxes are reckoned here.",
  })
  taxAmount!: Relation<MoneyType | null>;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was booked, in UTC.' })
  bookedAt!: string;
}

@ObjectType('Invoice', {
  implements: NodeType,
  description:
    'What the orders of a customer cost in one calendar month (UTC) and one currency, less what cancellations gave back; or a credit note about such an invoice.',
})
export class InvoiceType extends NodeType {
  @Field(() => InvoiceDocumentType, { description: 'Whether it is an invoice or a credit note.' })
  documentType!: InvoiceDocumentType;

  @Field(() => String, {
    nullable: true,
    description:
      'The number that it has once it is issued: `INV-` or, of a credit note, `CN-` and nine digits, counted without gaps. Null while it is open. `G` and nine digits in older invoices.',
  })
  number!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which it was issued, in UTC; null while it is open.',
  })
  issuedAt!: string | null;

  @Field(() => InvoiceType, {
    nullable: true,
    description: 'The invoice that a credit note is about; null for an invoice.',
  })
  amendsOf!: Relation<InvoiceType | null>;

  @AtMost(100)
  @Field(() => [InvoiceType], {
    description: 'The credit notes about it, the oldest month first; at most one of each month.',
  })
  amendments!: InvoiceType[];

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
    description:
      'The sum of all lines: charges less credits, before tax except where the prices of the market include it (`InvoiceLine.taxAmount`). It is negative where more was given back than bought.',
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

  @Field(() => ID, {
    nullable: true,
    description: 'Only invoices with a line of the order with this global id.',
  })
  orderId?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Only invoices with a line of this product, by its catalog id such as `DG7GMGF0FKZV`.',
  })
  productId?: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'Only invoices of months that start on this day or later.' })
  from?: string | null;

  @Field(() => DateScalar, { nullable: true, description: 'Only invoices of months that start before this day.' })
  to?: string | null;

  @Field(() => String, { nullable: true, description: 'Only invoices in this currency, by its ISO 4217 code.' })
  currency?: string | null;

  @Field(() => InvoiceStatus, {
    nullable: true,
    description: 'Only invoices that may still change (`OPEN`) or that are final (`ISSUED`).',
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
