import type { GraphQLResolveInfo } from 'graphql';
import { sql } from 'kysely';
import { Arg, Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { customerReaders } from '../../auth/role-sets.js';
import type { Context } from '../../context.js';
import { idOf } from '../../graphql/id-of.js';
import { CustomerBy, CustomerConnection, CustomersArgs, CustomerType } from './customer.type.js';

@Resolver(() => CustomerType)
export class CustomerResolver {
  @Query(() => CustomerConnection, {
    nullable: true,
    description: `The customers; of a CUSTOMER_ADMIN only their own. For ${customerReaders.join(', ')}.`,
  })
  @Auth(...customerReaders)
  customers(
    @Args(() => CustomersArgs) _args: CustomersArgs,
    @Ctx() { read }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    return read.connection('Customer', info);
  }

  @Query(() => CustomerType, {
    nullable: true,
    description: `One customer, or null: missing and not yours look the same. For ${customerReaders.join(', ')}.`,
  })
  @Auth(...customerReaders)
  customer(
    @Arg('by', () => CustomerBy, { description: 'Which one.' }) by: CustomerBy,
    @Ctx() { read }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    return read.one('Customer', info, (customer) => {
      if (by.id) return sql`${customer.col('id')} = ${idOf('Customer', by.id, 'by.id')}::uuid`;
      if (by.tenantId) return sql`${customer.col('tenantId')} = ${by.tenantId}::uuid`;
      return sql`${customer.col('domain')} = lower(${by.domain}::text)`;
    });
  }
}
