import { Field, ID, InterfaceType } from 'type-graphql';

/** Relay's Node. */
@InterfaceType('Node', {
  description: 'Anything with an id of its own, that `node(id:)` finds again.',
  resolveType: (tree: { __typename: string }) => tree.__typename,
})
export abstract class NodeType {
  @Field(() => ID, { description: 'Opaque and unique in the whole graph.' })
  id!: string;
}
