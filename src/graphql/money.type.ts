import { Field, InputType, ObjectType } from 'type-graphql';
import { IsCurrency, IsNotNegative } from './input-rules.js';
import { DecimalScalar } from './scalars.js';

/** Money as shown. */
@ObjectType('Money', { description: 'An amount of money.' })
export class MoneyType {
  @Field(() => DecimalScalar, { description: 'Exact, as text.' })
  amount!: string;

  @Field({ description: 'ISO 4217 code.' })
  currency!: string;
}

/** Money as sent. */
@InputType('MoneyInput', { description: 'An amount of money.' })
export class MoneyInput {
  @Field(() => DecimalScalar, { description: 'Exact, as text, not negative.' })
  @IsNotNegative()
  amount!: string;

  @Field({ description: 'ISO 4217 code.' })
  @IsCurrency()
  currency!: string;
}
