import { Args, FieldResolver, Query, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { ReconciliationType } from './reconciliation.type.js';
import {
  ReconciliationConnection,
  ReconciliationLineConnection,
  ReconciliationLinesArgs,
  ReconciliationsArgs,
} from './reconciliation-lists.type.js';

@Resolver(() => ReconciliationType)
export class ReconciliationResolver {
  @Query(() => ReconciliationConnection, {
    nullable: true,
    description: "Reconciliation files of Microsoft's that were imported and held against the invoices of customers.",
  })
  reconciliations(@Args(() => ReconciliationsArgs) _args: ReconciliationsArgs): never {
    return compiled();
  }

  @Query(() => ReconciliationLineConnection, {
    nullable: true,
    description: "What became of each line, of Microsoft's and of ours, when the files were held against the invoices.",
  })
  reconciliationLines(@Args(() => ReconciliationLinesArgs) _args: ReconciliationLinesArgs): never {
    return compiled();
  }

  @FieldResolver(() => ReconciliationLineConnection, {
    description: 'What became of each line; none where another version of the invoice has taken the place of this one.',
  })
  lines(@Args(() => ReconciliationLinesArgs) _args: ReconciliationLinesArgs): never {
    return compiled();
  }
}
