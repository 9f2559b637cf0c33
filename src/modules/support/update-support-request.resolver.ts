import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Info, Mutation, Resolver, Root } from 'type-graphql';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { badUserInput } from '../../graphql/errors.js';
import { idOf } from '../../graphql/id-of.js';
import { validateInput } from '../../graphql/validate-input.js';
import { updateSupportRequest } from './update-support-request.js';
import {
  UpdateSupportRequestInput,
  UpdateSupportRequestResult,
  UpdateSupportRequestSuccess,
} from './update-support-request.type.js';

@Resolver(() => UpdateSupportRequestSuccess)
export class UpdateSupportRequestResolver {
  @Mutation(() => UpdateSupportRequestResult, {
    nullable: true,
    description:
      'Changes the state of a support request, adds a note to it, or both. The log says who did, not what the note says.',
  })
  updateSupportRequest(
    @Arg('input', () => UpdateSupportRequestInput, {
      description: 'Which request to change, and how.',
      validateFn: validateInput,
    })
    input: UpdateSupportRequestInput,
    @Ctx() context: Context,
  ) {
    const supportRequestId = idOf('SupportRequest', input.supportRequestId, 'input.supportRequestId');
    const { status = null, note = null } = input;
    if (status === null && note === null) throw badUserInput('input.status', 'must be given, or a note, or both');
    return inTransaction(context, (unit) => updateSupportRequest(unit, { ...input, supportRequestId, status, note }), {
      row: supportRequestId,
      once: { operation: 'updateSupportRequest', key: input.idempotencyKey },
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
}
