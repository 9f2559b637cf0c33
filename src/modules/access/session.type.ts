import { ArgsType, createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Role } from '../../auth/role.js';
import { connectionTypes, orderInput, PageArgsType } from '../../graphql/connection.type.js';
import { NodeType } from '../../graphql/node.type.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import type { Relation } from '../../graphql/relation.js';
import { DateTimeScalar, SafeIntScalar } from '../../graphql/scalars.js';
import { SessionTransport } from './access.entity.js';
import { IdentityType } from './change-access.type.js';
import { SessionNotFound } from './end-session.js';

registerEnumType(SessionTransport, {
  name: 'SessionTransport',
  description: 'How a session is connected.',
  valuesConfig: {
    WEBSOCKET: { description: 'A WebSocket, with any number of operations.' },
    EVENT_STREAM: { description: 'A subscription over Server-Sent Events.' },
    EXPORT: { description: 'An export of the activity log that is being sent.' },
  },
});
problemType(SessionNotFound, 'Returned when there is no such session, or no longer.');

@ObjectType('Session', {
  implements: NodeType,
  description: 'A connection that stays open: a socket, an event stream or an export, on any gateway of the database.',
})
export class SessionType extends NodeType {
  @Field(() => IdentityType, {
    description: 'Who it is; `anonymous`, and null otherwise, for a caller without a token.',
  })
  user!: Relation<IdentityType>;

  @Field(() => [Role], { description: 'The roles that the token gives; an empty list without a token.' })
  roles!: Role[];

  @Field(() => String, {
    nullable: true,
    description: 'The application that the token names; null where it names none.',
  })
  application!: string | null;

  @Field(() => SessionTransport, { description: 'How it is connected.' })
  transport!: keyof typeof SessionTransport;

  @Field({
    description:
      'The network address that it comes from: of the client, or of the proxy that stands before the gateway.',
  })
  address!: string;

  @Field(() => DateTimeScalar, { description: 'The instant at which it was opened, in UTC.' })
  openedAt!: string;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which the token expires; null without a token.',
  })
  expiresAt!: string | null;

  @Field(() => Int, { description: 'The operations that run on it, as of `updatedAt`.' })
  runningOperations!: number;

  @Field(() => SafeIntScalar, { description: 'The bytes that were sent to it, as of `updatedAt`.' })
  bytesSent!: number;

  @Field(() => DateTimeScalar, { description: 'The instant of the figures, which are some seconds old at most.' })
  updatedAt!: string;
}

/** What sessions can be ordered by. */
export const SessionOrderField = { OPENED_AT: 'OPENED_AT' } as const;
export const SessionOrder = orderInput('Session', SessionOrderField, {
  OPENED_AT: 'The instant at which it was opened.',
});

@InputType('SessionFilter', {
  description: 'Narrows a list of sessions. Sessions must meet every condition that is given.',
})
export class SessionFilter {
  @Field(() => String, {
    nullable: true,
    description: 'Only sessions of the user with this user principal name, in either case.',
  })
  userPrincipalName?: string | null;

  @Field(() => String, { nullable: true, description: 'Only sessions of the user with this object id, case as given.' })
  objectId?: string | null;

  @Field(() => SessionTransport, { nullable: true, description: 'Only sessions that are connected in this way.' })
  transport?: keyof typeof SessionTransport | null;
}

/** Sessions in Relay's form. */
export const SessionConnection = connectionTypes(SessionType, 'Session');

@ArgsType()
export class SessionsArgs extends PageArgsType {
  @Field(() => SessionFilter, {
    nullable: true,
    description: 'Which sessions to list; all that are open where it is left out.',
  })
  filter?: SessionFilter | null;

  @Field(() => SessionOrder, {
    nullable: true,
    description: 'How to order the list; the oldest comes first where it is left out.',
  })
  orderBy?: InstanceType<typeof SessionOrder> | null;
}

@InputType('EndSessionInput', { description: 'Which session is to be cut.' })
export class EndSessionInput {
  @Field(() => ID, { description: 'The global id of the session, as in `Session.id`.' })
  sessionId!: string;
}

@ObjectType('EndSessionSuccess', {
  description: 'Returned when the session is cut. Its user may come again, unless access is revoked too.',
})
export class EndSessionSuccess {
  @Field(() => IdentityType, { description: 'The user whose session it was.' })
  user!: IdentityType;
}

export const EndSessionResult = createUnionType({
  name: 'EndSessionResult',
  description: 'The answer of `endSession`: its success or the reason why not.',
  types: () => [EndSessionSuccess, SessionNotFound] as const,
  resolveType: resultMember('EndSessionSuccess'),
});
