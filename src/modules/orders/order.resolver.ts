import { Arg, Args, FieldResolver, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { orderReaders } from '../../auth/role-sets.js';
import { compiled } from '../../graphql/compiled.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderBy, OrderConnection, OrdersArgs, OrderType } from './order.type.js';

@Resolver(() => OrderType)
export class OrderResolver {
  @Query(() => OrderConnection, {
    nullable: true,
    description: `The orders; of a CUSTOMER_ADMIN only their own tenant's. For ${orderReaders.join(', ')}.`,
  })
  @Auth(...orderReaders)
  orders(@Args(() => OrdersArgs) _args: OrdersArgs): never {
    return compiled();
  }

  @Query(() => OrderType, {
    nullable: true,
    description: `One order, or null: missing and not yours look the same. For ${orderReaders.join(', ')}.`,
  })
  @Auth(...orderReaders)
  order(@Arg('by', () => OrderBy, { description: 'Which one.' }) _by: OrderBy): never {
    return compiled();
  }
}

/** What this module adds to a customer. */
@Resolver(() => CustomerType)
export class CustomerOrdersResolver {
  @FieldResolver(() => OrderConnection, {
    nullable: true,
    description: `What was bought for it. For ${orderReaders.join(', ')}.`,
  })
  @Auth(...orderReaders)
  orders(@Args(() => OrdersArgs) _args: OrdersArgs): never {
    return compiled();
  }
}
