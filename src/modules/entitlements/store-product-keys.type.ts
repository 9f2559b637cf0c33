import { ArrayMaxSize, ArrayMinSize } from 'class-validator';
import { createUnionType, Field, InputType, Int, ObjectType } from 'type-graphql';
import { IsLine, IsProductId, IsSkuId } from '../../graphql/input-rules.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import { SkuType } from '../catalog/catalog.type.js';
import { AreProductKeys } from './product-key-rule.js';
import { SoftwareChoiceNotOffered } from './software-choice.js';
import { ProductKeysDuplicated, SoftwareNotFound } from './store-product-keys.js';

problemType(SoftwareNotFound, 'Returned when the catalog has no such SKU, or one that comes without software.', {
  productId: { type: () => String, description: 'The product id that was given.' },
  skuId: { type: () => String, description: 'The SKU id that was given.' },
});
problemType(
  ProductKeysDuplicated,
  'Returned when a key stands twice in the list or is stored for other software already; nothing was stored then.',
  { positions: { type: () => [Int], description: 'The places of these keys in the list; the first is 0.' } },
);

/** Keys that one request may bring; `npm run import:keys` takes any number. */
const MAXIMUM_KEYS = 1_000;

@InputType('StoreProductKeysInput', { description: 'Product keys, and the version of a SKU that they are for.' })
export class StoreProductKeysInput {
  @Field({ description: "Microsoft's product id: twelve letters and digits such as `DG7GMGF0FKZV`." })
  @IsProductId()
  productId!: string;

  @Field({ description: 'The SKU id inside the product: four letters and digits such as `0003`.' })
  @IsSkuId()
  skuId!: string;

  @Field({ description: 'The version of the software, one of `Sku.softwareVersions`.' })
  @IsLine(1, 100)
  version!: string;

  @Field(() => [String], {
    description:
      'The keys, 1 to 1000: 25 letters and digits each, in groups of five or not. Send them in a variable, so that they stand in no document. `npm run import:keys` takes more.',
  })
  @ArrayMinSize(1, { message: 'must not be empty' })
  @ArrayMaxSize(MAXIMUM_KEYS, { message: `must have at most ${MAXIMUM_KEYS}` })
  @AreProductKeys()
  productKeys!: string[];
}

@ObjectType('StoreProductKeysSuccess', {
  description: 'Returned when every key is stored, encrypted. That you stored them is in the activity log.',
})
export class StoreProductKeysSuccess {
  @Field(() => SkuType, { description: 'The SKU that the keys are for.' })
  sku!: object;

  @Field({ description: 'The version that the keys are for.' })
  version!: string;

  @Field(() => Int, { description: 'How many keys were stored.' })
  stored!: number;

  @Field(() => Int, {
    description: 'How many of them were stored for the same version before, used or not: the same may be sent again.',
  })
  alreadyStored!: number;

  @Field(() => Int, { description: 'How many keys of the version are left to give.' })
  left!: number;
}

export const StoreProductKeysResult = createUnionType({
  name: 'StoreProductKeysResult',
  description: 'The answer of `storeProductKeys`: its success or the reason why not.',
  types: () => [StoreProductKeysSuccess, SoftwareNotFound, SoftwareChoiceNotOffered, ProductKeysDuplicated] as const,
  resolveType: resultMember('StoreProductKeysSuccess'),
});
