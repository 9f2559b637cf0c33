import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { Role, roleDescriptions } from '../../auth/role.js';
import { DateTimeScalar, UuidScalar } from '../../graphql/scalars.js';

registerEnumType(Role, {
  name: 'Role',
  description: 'What a caller may do, as the identity provider says in the claims of the token.',
  valuesConfig: Object.fromEntries(
    Object.entries(roleDescriptions).map(([role, description]) => [role, { description }]),
  ) as never,
});

@ObjectType('Viewer', { description: 'The caller of the operation, as the token tells.' })
export class ViewerType {
  @Field({ description: 'The user principal name, such as `anna@partner.example`; `anonymous` without a token.' })
  userPrincipalName!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Your object id at the issuer of the token (`oid`, or `sub` where there is none), by which the gateway knows you; null without a token.',
  })
  objectId!: string | null;

  @Field(() => [Role], { description: 'The roles that the token gives; an empty list without a token.' })
  roles!: Role[];

  @Field(() => String, {
    nullable: true,
    description:
      'The reason why the token gives no role, for people to read: which claims were looked at and what they hold. It is null where the token gives a role, and without a token.',
  })
  noRolesReason!: string | null;

  @Field(() => UuidScalar, {
    nullable: true,
    description: 'The tenant that the token is from; null where it names none, and without a token.',
  })
  tenantId!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'The instant at which the token expires; null without a token.',
  })
  expiresAt!: Date | null;
}
