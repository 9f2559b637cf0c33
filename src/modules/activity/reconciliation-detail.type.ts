import { Field, Int, ObjectType } from 'type-graphql';
import { MoneyType } from '../../graphql/money.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateScalar } from '../../graphql/scalars.js';

@ObjectType('ReconciliationImportedDetail', {
  description: 'What an entry of action `RECONCILIATION_IMPORTED` says of the file.',
})
export class ReconciliationImportedDetail {
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
