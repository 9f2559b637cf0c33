import { Args, FieldResolver, Int, Query, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { SoftwareVersionType } from '../catalog/catalog.type.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderLineType } from '../orders/order-line.type.js';
import { EntitlementConnection, EntitlementType, SoftwareArgs } from './entitlement.type.js';

@Resolver(() => EntitlementType)
export class EntitlementResolver {
  @Query(() => EntitlementConnection, {
    nullable: true,
    description:
      "What customers own, and what was revoked by a cancellation: perpetual software, subscriptions and reservations in one list. Callers of a customer's tenant see only their own.",
  })
  software(@Args(() => SoftwareArgs) _args: SoftwareArgs): never {
    return compiled();
  }
}

/** What this module adds to a customer. */
@Resolver(() => CustomerType)
export class CustomerSoftwareResolver {
  @FieldResolver(() => EntitlementConnection, {
    nullable: true,
    description:
      'What the customer owns, and what was revoked by a cancellation: perpetual software, subscriptions and reservations in one list.',
  })
  software(@Args(() => SoftwareArgs) _args: SoftwareArgs): never {
    return compiled();
  }
}

/** What this module adds to a version of software. */
@Resolver(() => SoftwareVersionType)
export class SoftwareVersionKeysResolver {
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'How many product keys were stored for the version and are given to nobody yet; from 10,000 on it stays at that. 0 where none are left, or none were ever stored. Null only where you may not see it.',
  })
  unusedKeys(): never {
    return compiled();
  }
}

/** What this module adds to a line of an order. */
@Resolver(() => OrderLineType)
export class OrderLineEntitlementResolver {
  @FieldResolver(() => EntitlementType, {
    nullable: true,
    description: 'What the customer owns by the line; null until it is granted.',
  })
  entitlement(): never {
    return compiled();
  }
}
