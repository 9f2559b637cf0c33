import { Args, FieldResolver, Query, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { InvoiceLineType } from '../billing/invoice.type.js';
import { OrderType } from '../orders/order.type.js';
import { ReconciliationLineType, ReconciliationType } from './reconciliation.type.js';
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

/** What this module adds to an order. */
@Resolver(() => OrderType)
export class OrderImportedFromResolver {
  @FieldResolver(() => ReconciliationType, {
    nullable: true,
    description:
      "The reconciliation file of Microsoft's that the order was created out of; null for one that was bought here.",
  })
  importedFrom(): never {
    return compiled();
  }
}

/** What this module adds to a line of an invoice. */
@Resolver(() => InvoiceLineType)
export class InvoiceLineEvidenceResolver {
  @FieldResolver(() => ReconciliationLineType, {
    nullable: true,
    description:
      "What became of the line when it was held against Microsoft's file, with the file and its line; null where no file of its month was imported.",
  })
  evidence(): never {
    return compiled();
  }
}
