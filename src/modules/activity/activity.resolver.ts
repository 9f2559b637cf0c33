import { Args, FieldResolver, Query, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { CustomerType } from '../customers/customer.type.js';
import { ActivityArgs, ActivityConnection, ActivityEntryType } from './activity.type.js';

@Resolver(() => ActivityEntryType)
export class ActivityResolver {
  @Query(() => ActivityConnection, {
    nullable: true,
    description: "The activity log. Callers of a customer's tenant see the entries of that customer only.",
  })
  activity(@Args(() => ActivityArgs) _args: ActivityArgs): never {
    return compiled();
  }
}

/** What this module adds to a customer. */
@Resolver(() => CustomerType)
export class CustomerActivityResolver {
  @FieldResolver(() => ActivityConnection, {
    nullable: true,
    description: 'The entries of the activity log that are about the customer.',
  })
  activity(@Args(() => ActivityArgs) _args: ActivityArgs): never {
    return compiled();
  }
}
