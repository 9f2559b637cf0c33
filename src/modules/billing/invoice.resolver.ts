import { Args, FieldResolver, Query, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { CustomerType } from '../customers/customer.type.js';
import { InvoiceConnection, InvoicesArgs, InvoiceType } from './invoice.type.js';

@Resolver(() => InvoiceType)
export class InvoiceResolver {
  @Query(() => InvoiceConnection, {
    nullable: true,
    description: 'The monthly invoices of all customers, the running month among them.',
  })
  invoices(@Args(() => InvoicesArgs) _args: InvoicesArgs): never {
    return compiled();
  }
}

/** What this module adds to a customer. */
@Resolver(() => CustomerType)
export class CustomerInvoicesResolver {
  @FieldResolver(() => InvoiceConnection, {
    nullable: true,
    description: 'The monthly invoices of the customer.',
  })
  invoices(@Args(() => InvoicesArgs) _args: InvoicesArgs): never {
    return compiled();
  }
}
