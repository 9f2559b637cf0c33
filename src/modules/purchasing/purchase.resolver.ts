import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Info, Mutation, Resolver, Root } from 'type-graphql';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { idOf } from '../../graphql/id-of.js';
import { validateInput } from '../../graphql/validate-input.js';
import { purchase } from './purchase.js';
import { PurchaseInput, PurchaseResult, PurchaseSuccess } from './purchase.type.js';

@Resolver(() => PurchaseSuccess)
export class PurchaseResolver {
  @Mutation(() => PurchaseResult, {
    nullable: true,
    description:
      'Buys on behalf of a customer, at the prices that hold now. Order, entitlements and invoice lines come together or not at all.',
  })
  purchase(
    @Arg('input', () => PurchaseInput, {
      description: 'What to buy, and for which customer.',
      validateFn: validateInput,
    })
    input: PurchaseInput,
    @Ctx() context: Context,
  ) {
    const customerId = idOf('Customer', input.customerId, 'input.customerId');
    return inTransaction(context, (unit) => purchase(unit, { ...input, customerId, currency: input.currency ?? null }));
  }

  @FieldResolver()
  order(@Root() success: { orderId: string }, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.load('Order', success.orderId, info);
  }
}
