import type { GraphQLResolveInfo } from 'graphql';
import { Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { softwareReaders } from '../../auth/role-sets.js';
import type { Context } from '../../context.js';
import { EntitlementConnection, EntitlementType, SoftwareArgs } from './entitlement.type.js';

@Resolver(() => EntitlementType)
export class EntitlementResolver {
  @Query(() => EntitlementConnection, {
    nullable: true,
    description: `What customers own: perpetual and subscription in one list, cancelled ones too; of a CUSTOMER_ADMIN only their own tenant's. For ${softwareReaders.join(', ')}.`,
  })
  @Auth(...softwareReaders)
  software(@Args(() => SoftwareArgs) _args: SoftwareArgs, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.connection('Entitlement', info);
  }
}
