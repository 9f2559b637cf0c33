import { Field, InputType, ObjectType } from 'type-graphql';
import { IsAmount, IsCurrency, IsNotNegative } from './input-rules.js';
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
    description:
      'The exact amount as decimal text such as `"94.20"`, not negative, with no more decimals than the currency has: none for JPY, two for USD, three for KWD.',
  })
  @IsNotNegative()
  @IsAmount()
  amount!: string;

  @Field({ description: 'The ISO 4217 code of a currency that exists, such as `USD`.' })
  @IsCurrency()
  currency!: string;
}
