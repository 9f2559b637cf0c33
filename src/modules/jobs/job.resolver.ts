import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import { actorOf } from '../../activity-log/record-activity.js';
import type { Context } from '../../context/context.js';
import { inTransaction, type UnitOfWork } from '../../context/transaction.js';
import { compiled } from '../../graphql/compiled.js';
import { idOf } from '../../graphql/id-of.js';
import { validateInput } from '../../graphql/validate-input.js';
import { giveUpJob } from './give-up-job.js';
import {
  GiveUpJobInput,
  GiveUpJobResult,
  GiveUpJobSuccess,
  JobConnection,
  JobsArgs,
  RetryJobInput,
  RetryJobResult,
  RetryJobSuccess,
} from './job.type.js';
import { PeriodicWorkType } from './periodic-work.type.js';
import { retryJob } from './retry-job.js';

const operatorOf = ({ viewer, correlationId }: UnitOfWork) => ({ actor: actorOf(viewer), correlationId });

@Resolver(() => RetryJobSuccess)
export class RetryJobResolver {
  @Query(() => JobConnection, {
    nullable: true,
    description: 'Purchases and cancellations that wait for the provider, on every gateway of the database.',
  })
  jobs(@Args(() => JobsArgs) _args: JobsArgs): never {
    return compiled();
  }

  @Query(() => [PeriodicWorkType], {
    nullable: true,
    description:
      'Work that comes again by itself, and that one gateway does for all: whether it is done, and what went wrong.',
  })
  periodicWork(): never {
    return compiled();
  }

  @Mutation(() => RetryJobResult, {
    nullable: true,
    description: 'Begins a job at once, in the place of waiting for its next attempt or after its last one.',
  })
  retryJob(
    @Arg('input', () => RetryJobInput, { description: 'Which job is to begin.', validateFn: validateInput })
    input: RetryJobInput,
    @Ctx() context: Context,
  ) {
    const id = idOf('Job', input.jobId, 'input.jobId');
    return inTransaction(context, (unit) => retryJob(unit.em, context.services.jobs, id, operatorOf(unit)));
  }

  @FieldResolver()
  order(@Root() success: { orderId: string }, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.load('Order', success.orderId, info);
  }
}

@Resolver(() => GiveUpJobSuccess)
export class GiveUpJobResolver {
  @Mutation(() => GiveUpJobResult, {
    nullable: true,
    description:
      'Ends a job without an answer of the provider: the purchase, or the cancellation, is refused for the reason that is given. What Partner Center may have done is not ended so.',
  })
  giveUpJob(
    @Arg('input', () => GiveUpJobInput, { description: 'Which job is given up.', validateFn: validateInput })
    input: GiveUpJobInput,
    @Ctx() context: Context,
  ) {
    const id = idOf('Job', input.jobId, 'input.jobId');
    const given = { id, reason: input.reason, isNotDone: input.notDone ?? false };
    return inTransaction(context, (unit) => giveUpJob(unit.em, context.services.jobs, given, operatorOf(unit)));
  }

  @FieldResolver()
  order(@Root() success: { orderId: string }, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.load('Order', success.orderId, info);
  }
}
