import { Arg, Args, FieldResolver, Query, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderBy, OrderConnection, OrdersArgs, OrderType } from './order.type.js';

@Resolver(() => OrderType)
export class OrderResolver {
  @Query(() => OrderConnection, {
    nullable: true,
    description: "The orders of all customers. Callers of a customer's tenant see only their own.",
  })
  orders(@Args(() => OrdersArgs) _args: OrdersArgs): never {
    return compiled();
  }

  @Query(() => OrderType, {
    nullable: true,
    description: 'One order. Null where there is none, or none that you may see: both look the same.',
  })
  order(@Arg('by', () => OrderBy, { description: 'The id or the number of the order.' }) _by: OrderBy): never {
    return compiled();
  }
}

/** What this module adds to a customer. */
@Resolver(() => CustomerType)
export class CustomerOrdersResolver {
  @FieldResolver(() => OrderConnection, {
    nullable: true,
    description: 'The orders that were placed on behalf of the customer.',
  })
  orders(@Args(() => OrdersArgs) _args: OrdersArgs): never {
    return compiled();
  }
}
