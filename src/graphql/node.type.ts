import { Field, ID, InterfaceType } from 'type-graphql';
import { memberOf } from './member.js';

/** Relay's Node. */
@InterfaceType('Node', {
  description: 'An object with a global id, unique in the whole graph. `node(id:)` finds it again.',
  resolveType: memberOf,
})
export abstract class NodeType {
  @Field(() => ID, { description: 'The global id, unique in the whole graph. Treat it as opaque text.' })
  id!: string;
}
