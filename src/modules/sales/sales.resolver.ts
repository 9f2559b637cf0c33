import { Arg, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { salesReaders } from '../../auth/role-sets.js';
import { compiled } from '../../graphql/compiled.js';
import { SalesDimension, SalesFilter, SalesGroupType } from './sales.type.js';

@Resolver(() => SalesGroupType)
export class SalesResolver {
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
