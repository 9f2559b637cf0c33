import { Field, ObjectType } from 'type-graphql';
import { DateScalar } from './scalars.js';

/** Calendar days in a row, as shown. */
@ObjectType('Period', { description: 'A span of calendar days in UTC. Its first and its last day both belong to it.' })
export class PeriodType {
  @Field(() => DateScalar, { description: 'The first day of the period.' })
  start!: string;

  @Field(() => DateScalar, { description: 'The last day of the period, to its end.' })
  end!: string;
}
