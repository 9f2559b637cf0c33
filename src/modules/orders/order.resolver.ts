import { Arg, Args, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { orderReaders, salesReaders } from '../../auth/role-sets.js';
import { compiled } from '../../graphql/compiled.js';
import { SalesDimension, SalesFilter, SalesGroupType } from '../sales/sales.type.js';
import { OrderBy, OrderConnection, OrdersArgs, OrderType } from './order.type.js';

@Resolver(() => OrderType)
export class OrderResolver {
  @Query(() => OrderConnection, {
    nullable: true,
    description: "The orders of all customers. Callers of a customer's tenant see only their own.",
  })
  @Auth(...orderReaders)
  orders(@Args(() => OrdersArgs) _args: OrdersArgs): never {
    return compiled();
  }

  @Query(() => OrderType, {
    nullable: true,
    description: 'One order. Null where there is none, or none that you may see: both look the same.',
  })
  @Auth(...orderReaders)
  order(@Arg('by', () => OrderBy, { description: 'The id or the number of the order.' }) _by: OrderBy): never {
    return compiled();
  }

  @Query(() => [SalesGroupType], {
    nullable: true,
    description:
      'Sales, added up by the dimensions that you choose and by currency. A credit counts once it is confirmed, in the month of the purchase.',
  })
  @Auth(...salesReaders)
  sales(
    @Arg('filter', () => SalesFilter, {
      nullable: true,
      description: 'Which order lines to add up; all of them where it is left out.',
    })
    _filter: SalesFilter | null,
    @Arg('groupBy', () => [SalesDimension], {
      description: 'The dimensions to group by, each named once. An empty list adds everything up by currency.',
    })
    _groupBy: SalesDimension[],
  ): never {
    return compiled();
  }
}
