import { Arg, Args, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { customerReaders } from '../../auth/role-sets.js';
import { compiled } from '../../graphql/compiled.js';
import { CustomerBy, CustomerConnection, CustomersArgs, CustomerType } from './customer.type.js';

@Resolver(() => CustomerType)
export class CustomerResolver {
  @Query(() => CustomerConnection, {
    nullable: true,
    description: `The customers; of a CUSTOMER_ADMIN only their own. For ${customerReaders.join(', ')}.`,
  })
  @Auth(...customerReaders)
  customers(@Args(() => CustomersArgs) _args: CustomersArgs): never {
    return compiled();
  }

  @Query(() => CustomerType, {
    nullable: true,
    description: `One customer, or null: missing and not yours look the same. For ${customerReaders.join(', ')}.`,
  })
  @Auth(...customerReaders)
  customer(@Arg('by', () => CustomerBy, { description: 'Which one.' }) _by: CustomerBy): never {
    return compiled();
  }
}
