import { Field, ID, InterfaceType } from 'type-graphql';
import { memberOf } from './member.js';

/** Relay's Node. */
@InterfaceType('Node', {
  description: 'Anything with an id of its own, that `node(id:)` finds again.',
  resolveType: memberOf,
})
export abstract class NodeType {
  @Field(() => ID, { description: 'Opaque and unique in the whole graph.' })
  id!: string;
}
