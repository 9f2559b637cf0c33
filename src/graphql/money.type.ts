import { Field, InputType, ObjectType } from 'type-graphql';
import { IsCurrency, IsNotNegative } from './input-rules.js';
import { DecimalScalar } from './scalars.js';

/** Money as shown. */
@ObjectType('Money', { description: 'An amount of money in one currency.' })
export class MoneyType {
  @Field(() => DecimalScalar, {
    description:
      'The exact amount as decimal text such as `"94.20"`, with at least the decimals of the currency: none for JPY, two for USD.',
  })
  amount!: string;

  @Field({ description: 'The ISO 4217 code of the currency, such as `USD`.' })
  currency!: string;
}

/** Money as sent. */
@InputType('MoneyInput', { description: 'An amount of money in one currency, as you send it.' })
export class MoneyInput {
  @Field(() => DecimalScalar, {
    description: 'The exact amount as decimal text such as `"94.20"`. It must not be negative.',
  })
  @IsNotNegative()
  amount!: string;

  @Field({ description: 'The ISO 4217 code of the currency, such as `USD`.' })
  @IsCurrency()
  currency!: string;
}
