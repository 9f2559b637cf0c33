import { Args, FieldResolver, Query, Resolver } from 'type-graphql';
import { Auth } from '../../auth/auth.js';
import { softwareReaders } from '../../auth/role-sets.js';
import { compiled } from '../../graphql/compiled.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderLineType } from '../orders/order.type.js';
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

/** What this module adds to a customer. */
@Resolver(() => CustomerType)
export class CustomerSoftwareResolver {
  @FieldResolver(() => EntitlementConnection, {
    nullable: true,
    description: `What it owns, cancelled ones too (rule 18). For ${softwareReaders.join(', ')}.`,
  })
  @Auth(...softwareReaders)
  software(@Args(() => SoftwareArgs) _args: SoftwareArgs): never {
    return compiled();
  }
}

/** What this module adds to a line of an order. */
@Resolver(() => OrderLineType)
export class OrderLineEntitlementResolver {
  @FieldResolver(() => EntitlementType, {
    nullable: true,
    description: 'What the customer owns by it. For those who read software.',
  })
  entitlement(): never {
    return compiled();
  }
}
