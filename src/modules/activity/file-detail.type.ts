import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ImportKind } from '../../domain/import-kind.js';
import { MoneyType } from '../../graphql/money.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar } from '../../graphql/scalars.js';

registerEnumType(ImportKind, {
  name: 'ImportKind',
  description: 'What a file holds that an operator imports.',
  valuesConfig: {
    PRICE_LIST: { description: 'A price list of Microsoft.' },
    POLICIES: { description: 'Cancellation policies of kinds of products or of SKUs.' },
    CLOSED_MARKETS: { description: 'Markets that are closed to a kind of product, or open again.' },
    SOFTWARE: { description: 'Versions, languages, architectures and images of software.' },
    PRODUCT_KEYS: { description: 'Product keys, to be given to licences.' },
  },
});

@ObjectType('ReconciliationImportedDetail', {
  description: 'What an entry of action `RECONCILIATION_IMPORTED` says of the file.',
})
class ReconciliationImportedDetail {
  @Field(() => DateScalar, { description: 'The first day of the month that the file is of.' })
  month!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The number of the invoice that the file is of; null where it is of none, or of several.',
  })
  invoiceNumber!: string | null;

  @Field({ description: 'The SHA-256 of the bytes of the file, in hexadecimal digits.' })
  sha256!: string;

  @Field(() => MoneyType, { nullable: true, description: 'What all lines of the file amount to.' })
  total!: Relation<MoneyType | null>;

  @Field(() => Int, { description: 'How many lines were equal.' })
  equal!: number;

  @Field(() => Int, { description: 'How many lines were different.' })
  different!: number;

  @Field(() => Int, { description: 'How many lines of the file were in no invoice of ours.' })
  missingHere!: number;

  @Field(() => Int, { description: 'How many lines of our invoices were not in the file.' })
  missingThere!: number;
}

@ObjectType('FileImportedDetail', { description: 'What an entry of action `FILE_IMPORTED` says of the file.' })
class FileImportedDetail {
  @Field(() => ImportKind, { description: 'What the file holds.' })
  importKind!: ImportKind;

  @Field({ description: 'The SHA-256 of the bytes of the file, in hexadecimal digits.' })
  sha256!: string;

  @Field(() => Int, { description: 'How many rows the file has.' })
  rows!: number;

  @Field(() => Int, { description: 'How many rows were refused; the others were kept without them.' })
  refused!: number;

  @Field(() => Int, { description: 'How many prices, policies, closed markets, versions or keys are new.' })
  added!: number;

  @Field(() => Int, { description: 'How many of them were there and are another now.' })
  changed!: number;

  @Field(() => Int, { description: 'How many of them were taken away; of prices, how many end with the list.' })
  removed!: number;
}

@ObjectType('MonthClosedDetail', { description: 'What an entry of action `MONTH_CLOSED` says of the month.' })
class MonthClosedDetail {
  @Field(() => DateScalar, { description: 'The first day of the month that is closed.' })
  month!: string;

  @Field(() => Int, { nullable: true, description: 'How many invoices are issued for the month.' })
  invoices!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'How many credit notes are issued for the month.',
  })
  creditNotes!: number | null;
}

/** Details of entries about files and months, which are the partner's own. */
export const fileDetailTypes = [ReconciliationImportedDetail, FileImportedDetail, MonthClosedDetail];
