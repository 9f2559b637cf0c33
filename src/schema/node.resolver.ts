import { Arg, ID, Query, Resolver } from 'type-graphql';
import { Auth } from '../auth/auth.js';
import { everyRole } from '../auth/role-sets.js';
import { compiled } from '../graphql/compiled.js';
import { NodeType } from '../graphql/node.type.js';

@Resolver(() => NodeType)
export class NodeResolver {
  @Query(() => NodeType, {
    nullable: true,
    description: 'Whatever has that id, or null: missing and not yours look the same. For everybody with a token.',
  })
  @Auth(...everyRole)
  node(@Arg('id', () => ID, { description: 'An id that the graph gave.' }) _id: string): never {
    return compiled();
  }

  @Query(() => [NodeType], {
    nullable: 'itemsAndList',
    description:
      'The same for many ids, in their order; null for what is missing or not yours. For everybody with a token.',
  })
  @Auth(...everyRole)
  nodes(@Arg('ids', () => [ID], { description: 'At most 100.' }) _ids: string[]): never {
    return compiled();
  }
}
