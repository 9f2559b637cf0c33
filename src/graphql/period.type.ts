import { Field, ObjectType } from 'type-graphql';
import { DateScalar } from './scalars.js';

/** Calendar days in a row, as shown. */
@ObjectType('Period', { description: 'Calendar days in a row, in UTC. Both ends belong to it.' })
export class PeriodType {
  @Field(() => DateScalar, { description: 'The first day of the period.' })
  start!: string;

  @Field(() => DateScalar, { description: 'The last day of the period, which still belongs to it.' })
  end!: string;
}
