import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Info, Mutation, Resolver, Root } from 'type-graphql';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { isProblem } from '../../domain/problem.js';
import { validateInput } from '../../graphql/validate-input.js';
import { storeProductKeys } from './store-product-keys.js';
import { StoreProductKeysInput, StoreProductKeysResult, StoreProductKeysSuccess } from './store-product-keys.type.js';

@Resolver(() => StoreProductKeysSuccess)
export class StoreProductKeysResolver {
  @Mutation(() => StoreProductKeysResult, {
    nullable: true,
    description:
      'Stores product keys of a version of a SKU, each to be given to one licence by `revealProductKey`: all of them or none. What is sent again changes nothing.',
  })
  async storeProductKeys(
    @Arg('input', () => StoreProductKeysInput, {
      description: 'The keys, and the software that they are for.',
      validateFn: validateInput,
    })
    input: StoreProductKeysInput,
    @Ctx() context: Context,
  ) {
    const secrets = context.services.config.productKeySecrets;
    const result = await inTransaction(context, (unit) => storeProductKeys(unit, secrets, input));
    if (isProblem(result)) return result;
    const { skuRow, stored, known, free } = result;
    return { skuRow, version: input.version, stored, alreadyStored: known, left: free };
  }

  @FieldResolver()
  sku(@Root() success: { skuRow: string }, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.load('Sku', success.skuRow, info);
  }
}
