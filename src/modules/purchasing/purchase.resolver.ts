import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { Costs } from '../../graphql/cost.js';
import { idOf } from '../../graphql/id-of.js';
import { MoneyType } from '../../graphql/money.type.js';
import { validateInput } from '../../graphql/validate-input.js';
import { MAXIMUM_LINES } from '../orders/order-line.type.js';
import { type Preview, previewPurchase } from './preview-purchase.js';
import { purchase } from './purchase.js';
import { PurchaseInput, PurchasePreviewInput, PurchaseResult, PurchaseSuccess } from './purchase.type.js';
import { PurchasePreviewType } from './purchase-preview.type.js';

/** Points of a purchase, and of each line: its order line, entitlement, charge and sums. */
const PURCHASE = 50;
const LINE = 100;
/** The same of a preview, which looks for prices alone. */
const PREVIEW = 20;
const PREVIEWED_LINE = 5;

function linesOf(input: unknown): number {
  const { lines } = (input ?? {}) as Partial<PurchaseInput>;
  return Array.isArray(lines) ? Math.min(lines.length, MAXIMUM_LINES) : 1;
}

@Resolver(() => PurchaseSuccess)
export class PurchaseResolver {
  @Costs(({ input }) => PREVIEW + PREVIEWED_LINE * linesOf(input))
  @Query(() => PurchasePreviewType, {
    nullable: true,
    description:
      'What `purchase` would charge now, to the cent, or the problem that stands in the way. Nothing is bought or written.',
  })
  async purchasePreview(
    @Arg('input', () => PurchasePreviewInput, {
      description: 'What would be bought, and for which customer.',
      validateFn: validateInput,
    })
    input: PurchasePreviewInput,
    @Ctx() context: Context,
  ) {
    const customerId = idOf('Customer', input.customerId, 'input.customerId');
    const asked = { ...input, customerId, currency: input.currency ?? null };
    return toGraphQL(await inTransaction(context, (unit) => previewPurchase(unit, asked)));
  }

  @Costs(({ input }) => PURCHASE + LINE * linesOf(input))
  @Mutation(() => PurchaseResult, {
    nullable: true,
    description:
      'Buys on behalf of a customer, at the prices that hold now. The order is `PENDING` until the provider has confirmed it, which may be at once; then it is charged and its software can be used.',
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
    const { jobs, config, asksForPurchases, keepsIntents } = context.services;
    const asking = asksForPurchases ? { jobs, delayMs: config.purchaseDelayMs, keepsIntents } : null;
    const asked = { ...input, customerId, currency: input.currency ?? null };
    return inTransaction(context, (unit) => purchase(unit, asking, asked), {
      once: { operation: 'purchase', key: input.idempotencyKey },
    });
  }

  @FieldResolver()
  order(@Root() success: { orderId: string }, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.load('Order', success.orderId, info);
  }
}

function toGraphQL({ priced, problem, pricedAt }: Preview) {
  const currency = priced?.currency ?? '';
  const money = (amount: string) => Object.assign(new MoneyType(), { amount, currency });
  return {
    allowed: problem === null,
    problem,
    pricedAt,
    total: priced && money(priced.total),
    taxIncluded: priced?.buyer.taxInclusive ?? null,
    lines: (priced?.lines ?? []).map(({ sku, quantity, term, unitPrice, total }, lineIndex) => ({
      lineIndex,
      title: sku.title,
      quantity,
      billingPlan: sku.billingPlan,
      termDuration: sku.termDuration,
      term,
      unitPrice: money(unitPrice),
      total: money(total),
    })),
  };
}
