import { Field, ObjectType } from 'type-graphql';
import type { ProductKind } from '../../domain/product-kind.js';
import { NodeType } from '../../graphql/node.type.js';
import { DateScalar } from '../../graphql/scalars.js';
import { ProductKindEnum } from './catalog-enums.type.js';

@ObjectType('MarketClosure', {
  description: 'Whether a kind of product may be sold in a market from a day on. The newest one of a kind holds.',
})
export class MarketClosureType {
  @Field(() => ProductKindEnum, { description: 'The kind of product that it is about.' })
  kind!: ProductKind;

  @Field(() => DateScalar, { description: 'The first day (UTC) on which it holds.' })
  effectiveDate!: string;

  @Field({ description: 'Whether the market is closed from that day on; false where it is open again.' })
  isClosed!: boolean;
}

@ObjectType('Market', {
  implements: NodeType,
  description:
    'A country or territory that customers are in. It decides what may be sold, in which currencies, and whether prices include tax.',
})
export class MarketType extends NodeType {
  @Field({ description: 'The ISO 3166-1 alpha-2 code of the market, such as `US`.' })
  code!: string;

  @Field({ description: 'The English name of the market.' })
  name!: string;

  @Field(() => [ProductKindEnum], {
    description:
      "The kinds of product that may not be sold here today; an empty list where all may. Microsoft's documentation has a separate list for software subscriptions, which is not in effect unless the partner put it so: it names Brazil, which the page on software prices lists as a market where they include tax.",
  })
  closedTo!: ProductKind[];

  @Field(() => [MarketClosureType], {
    description: 'What `closedTo` follows from, by kind and day; days to come are among them.',
  })
  closures!: MarketClosureType[];

  @Field({ description: 'Whether prices here include tax, as in Australia and Brazil.' })
  taxInclusive!: boolean;

  @Field(() => [String], {
    description: 'The ISO 4217 codes of the currencies that customers here can pay in, the default one first.',
  })
  currencies!: string[];
}
