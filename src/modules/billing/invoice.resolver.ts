import type { GraphQLResolveInfo } from 'graphql';
import { Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { billingReaders } from '../../auth/role-sets.js';
import type { Context } from '../../context.js';
import { InvoiceConnection, InvoicesArgs, InvoiceType } from './invoice.type.js';

@Resolver(() => InvoiceType)
export class InvoiceResolver {
  @Query(() => InvoiceConnection, {
    nullable: true,
    description: `The monthly invoices. For ${billingReaders.join(', ')}.`,
  })
  @Auth(...billingReaders)
  invoices(@Args(() => InvoicesArgs) _args: InvoicesArgs, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.connection('Invoice', info);
  }
}
