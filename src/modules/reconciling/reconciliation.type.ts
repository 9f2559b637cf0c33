import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { MatchedBy, StatementKind, Verdict } from '../../domain/reconciliation.js';
import { AtMost } from '../../graphql/cost.js';
import { MoneyType } from '../../graphql/money.type.js';
import { NodeType } from '../../graphql/node.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar, DateTimeScalar, UuidScalar } from '../../graphql/scalars.js';
import { InvoiceLineType } from '../billing/invoice.type.js';
import { CustomerType } from '../customers/customer.type.js';

registerEnumType(Verdict, {
  name: 'ReconciliationVerdict',
  description: "What holding a line of Microsoft's against ours came to.",
  valuesConfig: {
    EQUAL: { description: 'Both have the line, and it says the same; amounts up to the tolerance.' },
    DIFFERENT: { description: 'Both have the line, and `differences` says in which columns it differs.' },
    MISSING_HERE: { description: 'Microsoft has the line, and no invoice of ours has it.' },
    MISSING_THERE: { description: 'An invoice of ours has the line, and the file has not.' },
  },
});
registerEnumType(MatchedBy, {
  name: 'ReconciliationMatch',
  description: "What a line of Microsoft's and one of ours were taken for the same by.",
  valuesConfig: {
    ORDER: { description: 'The number of the order, its product and its SKU are the same.' },
    CONTENT: {
      description:
        'Customer, product, SKU and charge type are the same, and the month or the first day; the orders have other numbers.',
    },
  },
});
registerEnumType(StatementKind, {
  name: 'ReconciliationKind',
  description: 'What the lines of a reconciliation file are of.',
  valuesConfig: {
    BILLED: { description: "The lines of an invoice of Microsoft's." },
    UNBILLED: { description: 'What Microsoft has yet to invoice.' },
  },
});

@ObjectType('ReconciliationDifference', { description: "One column in which a line of Microsoft's differs from ours." })
export class ReconciliationDifferenceType {
  @Field({ description: 'The name of the column in the file, such as `Subtotal` or `BillableQuantity`.' })
  column!: string;

  @Field({ description: 'The value that the file has in the column.' })
  theirs!: string;

  @Field({ description: 'The value that our invoice has in its place.' })
  ours!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Theirs less ours: an amount, a quantity, or days; null where the column holds words.',
  })
  by!: string | null;
}

@ObjectType('Reconciliation', {
  implements: NodeType,
  description: "A reconciliation file of Microsoft's that was imported and held against the invoices of its month.",
})
export class ReconciliationType extends NodeType {
  @Field({ description: 'The SHA-256 of the bytes of the file, in hexadecimal digits.' })
  sha256!: string;

  @Field({ description: 'The name that the file had.' })
  fileName!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The eTag of the manifest of the billing export, which names the version of the data; null where it was not given.',
  })
  manifestEtag!: string | null;

  @Field({ description: 'The format of the file: `CSV`, or `JSON_LINES` as of the billing export.' })
  format!: string;

  @Field(() => StatementKind, { description: 'Whether it holds the lines of an invoice.' })
  kind!: StatementKind;

  @Field(() => String, {
    nullable: true,
    description: "The number of Microsoft's invoice; null for what is not billed, and where the file has several.",
  })
  invoiceNumber!: string | null;

  @Field(() => DateScalar, { description: 'The first day of the month that it is of.' })
  month!: string;

  @Field(() => Int, { description: 'How many rows were taken.' })
  rowCount!: number;

  @Field(() => Int, { description: 'How many rows could not be read, and were left out.' })
  refusedRowCount!: number;

  @Field(() => MoneyType, { description: 'The sum of the column Total, which is the amount of the invoice.' })
  total!: Relation<MoneyType>;

  @Field(() => MoneyType, { description: 'The amount by which amounts may differ and count as equal.' })
  tolerance!: Relation<MoneyType>;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was imported, in UTC.' })
  importedAt!: string;

  @Field({ description: 'Who imported it, as the operating system of the gateway named them.' })
  importedBy!: string;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was last held against our invoices, in UTC.' })
  comparedAt!: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which another version of the invoice took its place, in UTC; null where none did.',
  })
  supersededAt!: string | null;
}

@ObjectType('ReconciliationLine', {
  implements: NodeType,
  description: "What became of one line, of Microsoft's or of ours, when a file was held against our invoices.",
})
export class ReconciliationLineType extends NodeType {
  @Field(() => ReconciliationType, { description: 'The file; its SHA-256 and `statementLine` are the evidence.' })
  reconciliation!: Relation<ReconciliationType>;

  @Field(() => Verdict, { description: 'Whether both have the line, and whether it says the same.' })
  verdict!: Verdict;

  @Field(() => Int, {
    nullable: true,
    description: 'The line of the file, counted from 1 with the header; null for what is missing there.',
  })
  statementLine!: number | null;

  @Field(() => InvoiceLineType, { nullable: true, description: 'Our line; null for what is missing here.' })
  invoiceLine!: Relation<InvoiceLineType | null>;

  @Field(() => MatchedBy, { nullable: true, description: 'What the two were taken for the same by; null without two.' })
  matchedBy!: MatchedBy | null;

  @Field(() => CustomerType, { nullable: true, description: 'The customer; null for one whom we do not know.' })
  customer!: Relation<CustomerType | null>;

  @Field(() => UuidScalar, { description: 'The tenant id of the customer.' })
  tenantId!: string;

  @Field({ description: 'The name of the customer in the file, or ours for what is missing there.' })
  customerName!: string;

  @Field(() => DateScalar, { description: 'The first day of the month that the file is of.' })
  month!: string;

  @Field(() => DateScalar, {
    nullable: true,
    description: 'The first day of the month of our invoice: at times the one before or after. Null without our line.',
  })
  ourMonth!: string | null;

  @Field(() => String, { nullable: true, description: 'The number of the order; null where the file names none.' })
  orderNumber!: string | null;

  @Field(() => String, { nullable: true, description: 'The product id; null where the file names none.' })
  productId!: string | null;

  @Field(() => String, { nullable: true, description: 'The SKU id, with its zeros; null where the file names none.' })
  skuId!: string | null;

  @Field(() => String, { nullable: true, description: 'What was bought or given back, in words; null without any.' })
  title!: string | null;

  @Field({ description: "What the line is for, in Microsoft's words: `new`, `cancelImmediate` and others." })
  chargeType!: string;

  @Field(() => MoneyType, {
    nullable: true,
    description:
      'What Microsoft asks for, before tax unless the market has prices with tax; null for what is missing there.',
  })
  theirAmount!: Relation<MoneyType | null>;

  @Field(() => MoneyType, { nullable: true, description: 'What our invoice asks for; null for what is missing here.' })
  ourAmount!: Relation<MoneyType | null>;

  @Field(() => MoneyType, { description: 'Theirs less ours, where what is missing counts as nothing.' })
  difference!: Relation<MoneyType>;

  @AtMost(7)
  @Field(() => [ReconciliationDifferenceType], { description: 'The columns in which the two differ.' })
  differences!: ReconciliationDifferenceType[];
}
