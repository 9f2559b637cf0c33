import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { askClock } from '../../context/clock.js';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { supportTopics } from '../../domain/support-topics.js';
import { compiled } from '../../graphql/compiled.js';
import { Costs } from '../../graphql/cost.js';
import { badUserInput } from '../../graphql/errors.js';
import { idOf } from '../../graphql/id-of.js';
import { NO_PHONE } from '../../graphql/input-rules.js';
import { validateInput } from '../../graphql/validate-input.js';
import { phoneOf } from '../../lib/phone.js';
import { CustomerType } from '../customers/customer.type.js';
import { submitSupportRequest } from './submit-support-request.js';
import {
  SubmitSupportRequestInput,
  SubmitSupportRequestResult,
  SubmitSupportRequestSuccess,
} from './submit-support-request.type.js';
import { SupportRequestConnection, SupportRequestsArgs } from './support-request.type.js';

/** How long files may be added. */
const UPLOAD_HOURS = 24;

@Resolver(() => SubmitSupportRequestSuccess)
export class SupportRequestResolver {
  @Query(() => SupportRequestConnection, {
    nullable: true,
    description: 'The support requests on behalf of all customers.',
  })
  supportRequests(@Args(() => SupportRequestsArgs) _args: SupportRequestsArgs): never {
    return compiled();
  }

  @Costs(1)
  @Query(() => [String], {
    nullable: true,
    description: 'The topics that a support request can have, in the order to show them: refunds come first.',
  })
  supportTopics() {
    return supportTopics;
  }

  @Mutation(() => SubmitSupportRequestResult, {
    nullable: true,
    description:
      'Submits a support request on behalf of a customer. A refund that `cancelOrder` cannot give is asked for in this way.',
  })
  submitSupportRequest(
    @Arg('input', () => SubmitSupportRequestInput, {
      description: 'What to ask of support, and for which customer.',
      validateFn: validateInput,
    })
    input: SubmitSupportRequestInput,
    @Ctx() context: Context,
  ) {
    const customerId = idOf('Customer', input.customerId, 'input.customerId');
    const orderId = input.orderId ? idOf('Order', input.orderId, 'input.orderId') : null;
    const asked = {
      ...input,
      customerId,
      orderId,
      refundReason: input.refundReason ?? null,
      amount: input.amount ?? null,
      phoneIn: (country: string) => {
        const phone = phoneOf(input.contact.phone, country);
        if (phone === null) throw badUserInput('input.contact.phone', NO_PHONE);
        return phone;
      },
    };
    return inTransaction(context, (unit) => submitSupportRequest(unit, asked), {
      once: { operation: 'submitSupportRequest', key: input.idempotencyKey },
    });
  }

  @FieldResolver()
  supportRequest(
    @Root() success: { supportRequestId: string },
    @Ctx() { read }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    return read.load('SupportRequest', success.supportRequestId, info);
  }

  @FieldResolver()
  async uploadUrl(@Root() success: { supportRequestId: string }, @Ctx() { services, viewer }: Context) {
    const now = (await askClock(services.orm.em.fork(), services.clock)).getTime();
    const expiresAt = new Date(now + UPLOAD_HOURS * 3_600_000);
    const claims = {
      supportRequest: success.supportRequestId,
      by: viewer.identity?.key,
      name: viewer.userPrincipalName,
      roles: viewer.roles,
      at: now,
    };
    const token = await services.signer.sign('upload', claims, expiresAt);
    return `${services.publicUrl()}/support-requests/${token}/files`;
  }
}

/** What this module adds to a customer. */
@Resolver(() => CustomerType)
export class CustomerSupportRequestsResolver {
  @FieldResolver(() => SupportRequestConnection, {
    nullable: true,
    description: 'The support requests that were submitted on behalf of the customer.',
  })
  supportRequests(@Args(() => SupportRequestsArgs) _args: SupportRequestsArgs): never {
    return compiled();
  }
}
