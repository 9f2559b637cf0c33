import { Arg, Args, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { catalogReaders } from '../../auth/role-sets.js';
import { compiled } from '../../graphql/compiled.js';
import { ProductConnection, ProductsArgs, ProductType } from './catalog.type.js';

@Resolver(() => ProductType)
export class CatalogResolver {
  @Query(() => ProductConnection, {
    nullable: true,
    description: `What can be sold. For ${catalogReaders.join(', ')}.`,
  })
  @Auth(...catalogReaders)
  products(@Args(() => ProductsArgs) _args: ProductsArgs): never {
    return compiled();
  }

  @Query(() => ProductType, {
    nullable: true,
    description: `The product with that product id, or null. For ${catalogReaders.join(', ')}.`,
  })
  @Auth(...catalogReaders)
  product(@Arg('productId', { description: 'Twelve letters and digits: `DG7GMGF0FKZV`.' }) _productId: string): never {
    return compiled();
  }
}
