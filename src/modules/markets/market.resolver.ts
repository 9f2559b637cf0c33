import type { GraphQLResolveInfo } from 'graphql';
import { sql } from 'kysely';
import { Arg, Ctx, Info, Query, Resolver } from 'type-graphql';
import type { Context } from '../../context.js';
import { ProductKindEnum } from '../catalog/catalog-enums.type.js';
import type { ProductKind } from '../catalog/product-kind.js';
import { MarketType } from './market.type.js';

@Resolver(() => MarketType)
export class MarketResolver {
  @Query(() => [MarketType], {
    description: 'Every market by code, or those closed to a kind of product (rule 1). Open to everybody.',
  })
  markets(
    @Arg('closedTo', () => ProductKindEnum, {
      nullable: true,
      description: 'Only markets where this kind may not be sold.',
    })
    closedTo: ProductKind | null,
    @Ctx() { read }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    const closed = sql`select "market_code" from "market_closures" where "kind" = ${closedTo}`;
    return read.list(
      'Market',
      info,
      (market) => (closedTo ? [sql`${market.col('code')} in (${closed})`] : []),
      (market) => [market.col('code')],
    );
  }
}
