import { ArgsType, Field, ID, InputType } from 'type-graphql';
import { Verdict } from '../../domain/reconciliation.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { DateScalar } from '../../graphql/scalars.js';
import { ReconciliationLineType, ReconciliationType } from './reconciliation.type.js';

/** What reconciliations can be ordered by. */
export const ReconciliationOrderField = { MONTH: 'MONTH' } as const;
export const ReconciliationOrder = orderInput('Reconciliation', ReconciliationOrderField, {
  MONTH: 'The month that the file is of.',
});

@InputType('ReconciliationFilter', {
  description: 'Narrows a list of reconciliations. They must meet every condition that is given.',
})
export class ReconciliationFilter {
  @Field(() => DateScalar, { nullable: true, description: 'Only those of the month in which this day is.' })
  month?: string | null;

  @Field(() => String, { nullable: true, description: 'Only those in this currency, by its ISO 4217 code.' })
  currency?: string | null;
}

/** Reconciliations in Relay's form. */
export const ReconciliationConnection = connectionTypes(ReconciliationType, 'Reconciliation');

@ArgsType()
export class ReconciliationsArgs extends PageArgsType {
  @Field(() => ReconciliationFilter, {
    nullable: true,
    description: 'Which reconciliations to list; all where it is left out.',
  })
  filter?: ReconciliationFilter | null;

  @Field(() => ReconciliationOrder, {
    nullable: true,
    description: 'How to order the list; the newest month comes first where it is left out.',
  })
  orderBy?: InstanceType<typeof ReconciliationOrder> | null;
}

/** What lines of reconciliations can be ordered by. */
export const ReconciliationLineOrderField = { IMPORTED: 'IMPORTED' } as const;
export const ReconciliationLineOrder = orderInput('ReconciliationLine', ReconciliationLineOrderField, {
  IMPORTED: 'When the file was imported, then its lines in their order, then what is missing there.',
});

@InputType('ReconciliationLineFilter', {
  description: 'Narrows a list of reconciled lines. They must meet every condition that is given.',
})
export class ReconciliationLineFilter {
  @Field(() => [Verdict], { nullable: true, description: 'Only lines that came to one of these.' })
  verdicts?: Verdict[] | null;

  @Field(() => DateScalar, { nullable: true, description: 'Only lines of files of the month in which this day is.' })
  month?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only lines of the customer with this global id.' })
  customerId?: string | null;

  @Field(() => ID, { nullable: true, description: 'Only lines of the reconciliation with this global id.' })
  reconciliationId?: string | null;
}

/** Lines of reconciliations in Relay's form. */
export const ReconciliationLineConnection = connectionTypes(ReconciliationLineType, 'ReconciliationLine');

@ArgsType()
export class ReconciliationLinesArgs extends PageArgsType {
  @Field(() => ReconciliationLineFilter, {
    nullable: true,
    description: 'Which lines to list; all where it is left out.',
  })
  filter?: ReconciliationLineFilter | null;

  @Field(() => ReconciliationLineOrder, {
    nullable: true,
    description: 'How to order the list; what was imported first comes first where it is left out.',
  })
  orderBy?: InstanceType<typeof ReconciliationLineOrder> | null;
}
