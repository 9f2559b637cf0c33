import { Args, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { softwareReaders } from '../../auth/role-sets.js';
import { compiled } from '../../graphql/compiled.js';
import { EntitlementConnection, EntitlementType, SoftwareArgs } from './entitlement.type.js';

@Resolver(() => EntitlementType)
export class EntitlementResolver {
  @Query(() => EntitlementConnection, {
    nullable: true,
    description:
      "What customers own, and what was revoked by a cancellation: perpetual software, subscriptions and reservations in one list. Callers of a customer's tenant see only their own.",
  })
  @Auth(...softwareReaders)
  software(@Args(() => SoftwareArgs) _args: SoftwareArgs): never {
    return compiled();
  }
}
