import { Field, ObjectType } from 'type-graphql';
import type { ProductKind } from '../../domain/product-kind.js';
import { NodeType } from '../../graphql/node.type.js';
import { ProductKindEnum } from './catalog-enums.type.js';

@ObjectType('Market', { implements: NodeType, description: 'A country or territory in which customers live.' })
export class MarketType extends NodeType {
  @Field({ description: 'ISO 3166-1 alpha-2 code.' })
  code!: string;

  @Field({ description: 'English name.' })
  name!: string;

  @Field(() => [ProductKindEnum], { description: 'Kinds that may not be sold here (rule 1).' })
  closedTo!: ProductKind[];

  @Field({ description: 'Whether prices include tax: in Australia and Brazil only (rule 2).' })
  taxInclusive!: boolean;

  @Field(() => [String], { description: 'ISO 4217 codes of the currencies sold in, the default one first.' })
  currencies!: string[];
}
