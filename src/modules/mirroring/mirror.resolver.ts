import { FieldResolver, Resolver } from 'type-graphql';
import { compiled } from '../../graphql/compiled.js';
import { CustomerType } from '../customers/customer.type.js';
import { OrderLineType } from '../orders/order-line.type.js';
import { UpstreamCustomerType, UpstreamLineType } from './mirror.type.js';

/** What this module adds to a customer. */
@Resolver(() => CustomerType)
export class CustomerUpstreamResolver {
  @FieldResolver(() => UpstreamCustomerType, {
    nullable: true,
    description: 'What the upstream lists of the customer; null where it does not know them.',
  })
  upstream(): never {
    return compiled();
  }
}

/** What this module adds to a line of an order. */
@Resolver(() => OrderLineType)
export class OrderLineUpstreamResolver {
  @FieldResolver(() => UpstreamLineType, {
    nullable: true,
    description: 'The line of an order of the upstream that it is; null where it is in none, or not yet known to be.',
  })
  upstream(): never {
    return compiled();
  }
}
