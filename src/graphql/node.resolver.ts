import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, ID, Info, Query, Resolver } from 'type-graphql';
import { Auth } from '../auth/auth.js';
import { everyRole } from '../auth/role-sets.js';
import type { Context } from '../context.js';
import { parseGlobalId } from '../global-id.js';
import { badUserInput } from './errors.js';
import { NodeType } from './node.type.js';

/** Most ids of one `nodes`. */
const MAXIMUM_IDS = 100;

@Resolver(() => NodeType)
export class NodeResolver {
  @Query(() => NodeType, {
    nullable: true,
    description: 'Whatever has that id, or null: missing and not yours look the same. For everybody with a token.',
  })
  @Auth(...everyRole)
  node(
    @Arg('id', () => ID, { description: 'An id that the graph gave.' }) id: string,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    return load(context, id, 'id', info);
  }

  @Query(() => [NodeType], {
    nullable: 'itemsAndList',
    description:
      'The same for many ids, in their order; null for what is missing or not yours. For everybody with a token.',
  })
  @Auth(...everyRole)
  nodes(
    @Arg('ids', () => [ID], { description: 'At most 100.' }) ids: string[],
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    if (ids.length > MAXIMUM_IDS) throw badUserInput('ids', `must be at most ${MAXIMUM_IDS}`);
    return Promise.all(ids.map((id, index) => load(context, id, `ids.${index}`, info)));
  }
}

function load({ read }: Context, globalId: string, field: string, info: GraphQLResolveInfo) {
  const parsed = parseGlobalId(globalId);
  if (!parsed) throw badUserInput(field, 'must be an id that the graph gave');
  return read.load(parsed.type, parsed.id, info, true);
}
