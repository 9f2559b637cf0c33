import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, ID, Info, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { Costs } from '../../graphql/cost.js';
import { badUserInput } from '../../graphql/errors.js';
import { idOf } from '../../graphql/id-of.js';
import { MoneyType } from '../../graphql/money.type.js';
import { validateInput } from '../../graphql/validate-input.js';
import { MAXIMUM_LINES, OrderLineRefundOptionType } from '../orders/order-line.type.js';
import { creditRule } from './assess-cancellation.js';
import { cancelOrder } from './cancel-order.js';
import { CancelOrderInput, CancelOrderResult, CancelOrderSuccess } from './cancel-order.type.js';
import { noticeFor } from './cancellation-notice.js';
import { CancellationQuoteType } from './cancellation-quote.type.js';
import { arithmetic, type Quote, quoteCancellation } from './quote.js';

/** Points of a quote, of a cancellation, and of each line that is judged and whose credit is reckoned. */
const QUOTE = 10;
const CANCELLATION = 50;
const LINE = 5;

/** How many lines are judged, at most: as many as are named, else all that an order may have. */
const linesOf = (named: unknown) => (Array.isArray(named) ? Math.min(named.length, MAXIMUM_LINES) : MAXIMUM_LINES);

@Resolver(() => CancelOrderSuccess)
export class CancelOrderResolver {
  @Costs(({ lineNumbers }) => QUOTE + LINE * linesOf(lineNumbers))
  @Query(() => CancellationQuoteType, {
    nullable: true,
    description:
      'What `cancelOrder` would do now: the credit to the cent, or the problem that stands in the way. Null where there is no such order.',
  })
  async cancellationQuote(
    @Arg('orderId', () => ID, { description: 'The global id of the order.' }) orderId: string,
    @Arg('lineNumbers', () => [Int], {
      nullable: true,
      description: 'The numbers of the lines to cancel; every active line where it is left out.',
    })
    lineNumbers: number[] | null,
    @Ctx() context: Context,
  ) {
    const id = idOf('Order', orderId, 'orderId');
    if (lineNumbers && (lineNumbers.length === 0 || new Set(lineNumbers).size < lineNumbers.length))
      throw badUserInput('lineNumbers', 'must name at least one line, and each line once');
    const quote = await inTransaction(context, (unit) =>
      quoteCancellation(unit, context.services.signer, id, lineNumbers ?? null),
    );
    return quote && toGraphQL(quote);
  }

  @Costs(({ input }) => CANCELLATION + LINE * linesOf((input as Partial<CancelOrderInput> | null)?.lineNumbers))
  @Mutation(() => CancelOrderResult, {
    nullable: true,
    description:
      'Asks fulfilment to cancel an order, or some lines of it. It confirms within 15 minutes: follow `Subscription.cancellationConfirmed`.',
  })
  async cancelOrder(
    @Arg('input', () => CancelOrderInput, {
      description: 'Which order or lines to cancel, and on which terms.',
      validateFn: validateInput,
    })
    input: CancelOrderInput,
    @Ctx() context: Context,
  ) {
    const { signer, config, jobs, keepsIntents } = context.services;
    const orderId = idOf('Order', input.orderId, 'input.orderId');
    const asked = {
      ...input,
      orderId,
      lineNumbers: input.lineNumbers ?? null,
      quoteToken: input.quoteToken ?? null,
      reason: input.reason ?? null,
    };
    const asking = { jobs, delayMs: config.fulfilmentDelayMs, keepsIntents };
    return inTransaction(context, (unit) => cancelOrder(unit, signer, asking, asked), {
      row: orderId,
      once: { operation: 'cancelOrder', key: input.idempotencyKey },
    });
  }

  @FieldResolver()
  order(@Root() success: { orderId: string }, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.load('Order', success.orderId, info);
  }

  @FieldResolver()
  cancellation(
    @Root() success: { cancellationId: string },
    @Ctx() { read }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    return read.load('Cancellation', success.cancellationId, info);
  }
}

function toGraphQL({ assessment, problem, lines, ...quote }: Quote) {
  const currency = assessment?.currency ?? '';
  const money = (amount: string) => Object.assign(new MoneyType(), { amount, currency });
  return {
    ...quote,
    allowed: problem === null,
    problem,
    credit: assessment && money(assessment.credit),
    rule: assessment && creditRule(assessment.lines),
    notice: noticeFor(lines, assessment?.credit ?? null),
    lines: (assessment?.lines ?? []).map(({ line, ...credit }) => ({
      ...credit,
      lineNumber: line.lineNumber,
      title: line.sku.title,
      quantity: line.quantity,
      unitPrice: money(line.unitPrice),
      unitCredit: money(credit.unitCredit),
      credit: money(credit.credit),
      arithmetic: arithmetic(line, credit, currency),
      refundOptions: line.refundOptions.map((option) => Object.assign(new OrderLineRefundOptionType(), option)),
    })),
  };
}
