import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { PeriodicWorkKind } from '../../domain/job-kind.js';
import { DateTimeScalar } from '../../graphql/scalars.js';

registerEnumType(PeriodicWorkKind, {
  name: 'PeriodicWorkKind',
  description: 'Work that comes again by itself.',
  valuesConfig: {
    SALES_ROLL_UP: { description: 'Sales are added up, so that their sums are answered at once.' },
    REFUSED_ATTEMPTS: { description: 'Refused attempts that were counted together become entries of the log.' },
    UPSTREAM_SYNC: { description: 'What the upstream tells is read and kept; where there is none, never.' },
    MONTH_CLOSE: { description: 'Months that are over are closed, and their invoices issued.' },
  },
});

@ObjectType('PeriodicWork', {
  description: 'Work that comes again by itself, and that one gateway does for all that serve from the database.',
})
export class PeriodicWorkType {
  @Field(() => PeriodicWorkKind, { description: 'The work that is done again and again.' })
  kind!: PeriodicWorkKind;

  @Field(() => Int, { description: 'How many attempts have failed since it was last done; 0 where all is well.' })
  failures!: number;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which it was last done, in UTC; null before the first time.',
  })
  succeededAt!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which an attempt last failed, in UTC; null where none has since it was last done.',
  })
  failedAt!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'What went wrong in the attempt that failed last; null where none has since it was last done.',
  })
  lastError!: string | null;
}
