import type { GraphQLResolveInfo } from 'graphql';
import { sql } from 'kysely';
import { Arg, Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { catalogReaders } from '../../auth/role-sets.js';
import type { Context } from '../../context.js';
import { ProductConnection, ProductsArgs, ProductType } from './catalog.type.js';

@Resolver(() => ProductType)
export class CatalogResolver {
  @Query(() => ProductConnection, {
    nullable: true,
    description: `What can be sold. For ${catalogReaders.join(', ')}.`,
  })
  @Auth(...catalogReaders)
  products(@Args(() => ProductsArgs) _args: ProductsArgs, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.connection('Product', info);
  }

  @Query(() => ProductType, {
    nullable: true,
    description: `The product with that product id, or null. For ${catalogReaders.join(', ')}.`,
  })
  @Auth(...catalogReaders)
  product(
    @Arg('productId', { description: 'Twelve letters and digits: `DG7GMGF0FKZV`.' }) productId: string,
    @Ctx() { read }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    return read.one('Product', info, (product) => sql`${product.col('productId')} = upper(${productId}::text)`);
  }
}
