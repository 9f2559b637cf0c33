import { Field, ObjectType } from 'type-graphql';
import type { ProductKind } from '../../domain/product-kind.js';
import { NodeType } from '../../graphql/node.type.js';
import { ProductKindEnum } from './catalog-enums.type.js';

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
    description: 'The kinds of product that may not be sold here; an empty list where all may.',
  })
  closedTo!: ProductKind[];

  @Field({ description: 'Whether prices here include tax, as in Australia and Brazil.' })
  taxInclusive!: boolean;

  @Field(() => [String], {
    description: 'The ISO 4217 codes of the currencies that customers here can pay in, the default one first.',
  })
  currencies!: string[];
}
