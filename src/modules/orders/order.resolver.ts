import type { GraphQLResolveInfo } from 'graphql';
import { sql } from 'kysely';
import { Arg, Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { orderReaders, salesReaders } from '../../auth/role-sets.js';
import type { Context } from '../../context.js';
import { badUserInput } from '../../graphql/errors.js';
import { idOf } from '../../graphql/id-of.js';
import { OrderBy, OrderConnection, OrdersArgs, OrderType } from './order.type.js';
import { salesQuery } from './sales.read.js';
import { SalesDimension, SalesFilter, SalesGroupType } from './sales.type.js';

@Resolver(() => OrderType)
export class OrderResolver {
  @Query(() => OrderConnection, {
    nullable: true,
    description: `The orders; of a CUSTOMER_ADMIN only their own tenant's. For ${orderReaders.join(', ')}.`,
  })
  @Auth(...orderReaders)
  orders(@Args(() => OrdersArgs) _args: OrdersArgs, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.connection('Order', info);
  }

  @Query(() => OrderType, {
    nullable: true,
    description: `One order, or null: missing and not yours look the same. For ${orderReaders.join(', ')}.`,
  })
  @Auth(...orderReaders)
  order(
    @Arg('by', () => OrderBy, { description: 'Which one.' }) by: OrderBy,
    @Ctx() { read }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    return read.one('Order', info, (order) =>
      by.id
        ? sql`${order.col('id')} = ${idOf('Order', by.id, 'by.id')}::uuid`
        : sql`${order.col('number')} = lower(${by.number}::text)`,
    );
  }

  @Query(() => [SalesGroupType], {
    nullable: true,
    description: `Sales added up by dimensions and currency. For ${salesReaders.join(', ')}.`,
  })
  @Auth(...salesReaders)
  sales(
    @Arg('filter', () => SalesFilter, { nullable: true, description: 'Which order lines.' }) filter: SalesFilter | null,
    @Arg('groupBy', () => [SalesDimension], {
      description: 'By what to group; an empty list adds everything up by currency.',
    })
    groupBy: SalesDimension[],
    @Ctx() { read }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    const dimensions = [...new Set(groupBy)];
    if (dimensions.length !== groupBy.length) throw badUserInput('groupBy', 'name each dimension once');
    const group = (column: string) => sql.ref(`g.${column}`);
    const order = ['month', 'market', 'kind', 'product', 'customer', 'currency'].map(group);
    return read.grouped(salesQuery(dimensions, filter ?? {}), 'g', 'SalesGroup', info, order);
  }
}
