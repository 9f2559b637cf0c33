import type { GraphQLResolveInfo } from 'graphql';
import { Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { activityReaders } from '../../auth/role-sets.js';
import type { Context } from '../../context.js';
import { ActivityArgs, ActivityConnection, ActivityEntryType } from './activity.type.js';

@Resolver(() => ActivityEntryType)
export class ActivityResolver {
  @Query(() => ActivityConnection, {
    nullable: true,
    description: `The activity log; of a CUSTOMER_ADMIN only their own tenant's entries (rule 23). For ${activityReaders.join(', ')}.`,
  })
  @Auth(...activityReaders)
  activity(@Args(() => ActivityArgs) _args: ActivityArgs, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.connection('ActivityEntry', info);
  }
}
