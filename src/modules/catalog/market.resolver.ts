import { Arg, Query, Resolver } from 'type-graphql';
import type { ProductKind } from '../../domain/product-kind.js';
import { compiled } from '../../graphql/compiled.js';
import { ProductKindEnum } from './catalog-enums.type.js';
import { MarketType } from './market.type.js';

@Resolver(() => MarketType)
export class MarketResolver {
  @Query(() => [MarketType], {
    description:
      'Every market in the order of its code, or those that are closed to a kind of product. Everybody may ask, also without a token.',
  })
  markets(
    @Arg('closedTo', () => ProductKindEnum, {
      nullable: true,
      description: 'Only markets where this kind of product may not be sold.',
    })
    _closedTo: ProductKind | null,
  ): never {
    return compiled();
  }
}
