import { Args, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { activityReaders } from '../../auth/role-sets.js';
import { compiled } from '../../graphql/compiled.js';
import { ActivityArgs, ActivityConnection, ActivityEntryType } from './activity.type.js';

@Resolver(() => ActivityEntryType)
export class ActivityResolver {
  @Query(() => ActivityConnection, {
    nullable: true,
    description: "The activity log. Callers of a customer's tenant see the entries of that customer only.",
  })
  @Auth(...activityReaders)
  activity(@Args(() => ActivityArgs) _args: ActivityArgs): never {
    return compiled();
  }
}
