import { Arg, ID, Query, Resolver } from 'type-graphql';
import { compiled } from '../graphql/compiled.js';
import { NodeType } from '../graphql/node.type.js';

@Resolver(() => NodeType)
export class NodeResolver {
  @Query(() => NodeType, {
    nullable: true,
    description: 'The object that has the id. Null where there is none, or none that you may see: both look the same.',
  })
  node(@Arg('id', () => ID, { description: 'A global id, as a field `id` of the graph gave it.' }) _id: string): never {
    return compiled();
  }

  @Query(() => [NodeType], {
    nullable: 'itemsAndList',
    description:
      'The objects that have the ids, in the order of the ids. Null stands in the place of each that is missing or that you may not see.',
  })
  nodes(
    @Arg('ids', () => [ID], { description: 'Up to 100 global ids, as fields `id` of the graph gave them.' })
    _ids: string[],
  ): never {
    return compiled();
  }
}
