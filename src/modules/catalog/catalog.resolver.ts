import { Arg, Args, Query, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { ProductConnection, ProductsArgs, ProductType } from './catalog.type.js';

@Resolver(() => ProductType)
export class CatalogResolver {
  @Query(() => ProductConnection, {
    nullable: true,
    description: 'The catalog: the products that can be bought, with their SKUs.',
  })
  products(@Args(() => ProductsArgs) _args: ProductsArgs): never {
    return compiled();
  }

  @Query(() => ProductType, {
    nullable: true,
    description: 'The product with a product id; null where there is none.',
  })
  product(
    @Arg('productId', {
      description: "Microsoft's product id in either case: twelve letters and digits such as `DG7GMGF0FKZV`.",
    })
    _productId: string,
  ): never {
    return compiled();
  }
}
