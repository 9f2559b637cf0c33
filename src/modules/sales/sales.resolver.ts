import { Arg, Query, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { SalesDimension, SalesFilter, SalesGroupType } from './sales.type.js';

@Resolver(() => SalesGroupType)
export class SalesResolver {
  @Query(() => [SalesGroupType], {
    nullable: true,
    description:
      'Sales, added up by the dimensions that you choose and by currency. A credit counts once it is confirmed, in the month of the purchase.',
  })
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
