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

  @Query(() => [SalesGroupType], {
    nullable: true,
    description: `Sales added up by dimensions and currency. For ${salesReaders.join(', ')}.`,
  })
  @Auth(...salesReaders)
  sales(
    @Arg('filter', () => SalesFilter, { nullable: true, description: 'Which order lines.' })
    _filter: SalesFilter | null,
    @Arg('groupBy', () => [SalesDimension], {
      description: 'By what to group; an empty list adds everything up by currency.',
    })
    _groupBy: SalesDimension[],
  ): never {
    return compiled();
  }
}
