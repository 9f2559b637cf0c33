import { Args, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { softwareReaders } from '../../auth/role-sets.js';
import { compiled } from '../../graphql/compiled.js';
import { EntitlementConnection, EntitlementType, SoftwareArgs } from './entitlement.type.js';

@Resolver(() => EntitlementType)
export class EntitlementResolver {
  @Query(() => EntitlementConnection, {
    nullable: true,
    description: `What customers own: perpetual and subscription in one list, cancelled ones too; of a CUSTOMER_ADMIN only their own tenant's. For ${softwareReaders.join(', ')}.`,
  })
  @Auth(...softwareReaders)
  software(@Args(() => SoftwareArgs) _args: SoftwareArgs): never {
    return compiled();
  }
}
