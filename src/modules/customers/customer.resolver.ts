import { Arg, Args, Query, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { CustomerBy, CustomerConnection, CustomersArgs, CustomerType } from './customer.type.js';

@Resolver(() => CustomerType)
export class CustomerResolver {
  @Query(() => CustomerConnection, {
    nullable: true,
    description: "The customers of the partner. Callers of a customer's tenant see only themselves.",
  })
  customers(@Args(() => CustomersArgs) _args: CustomersArgs): never {
    return compiled();
  }

  @Query(() => CustomerType, {
    nullable: true,
    description: 'One customer. Null where there is none, or none that you may see: both look the same.',
  })
  customer(
    @Arg('by', () => CustomerBy, { description: 'The id, tenant or domain of the customer.' }) _by: CustomerBy,
  ): never {
    return compiled();
  }
}
