import { IsOptional } from 'class-validator';
import { createUnionType, Field, InputType, ObjectType } from 'type-graphql';
import { IsLine, IsNameOfUser } from '../../graphql/input-rules.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import { DateTimeScalar, UuidScalar } from '../../graphql/scalars.js';
import { UserAmbiguous, UserUnknown } from './find-user.js';
import { AccessNotRevoked } from './restore-access.js';
import { OwnAccessNotRevocable } from './revoke-access.js';

@ObjectType('Identity', {
  description:
    'Who somebody is who came with a valid token: an issuer, a tenant and an object id, with a name for people.',
})
export class IdentityType {
  @Field({ description: 'The user principal name in lower case, as the log has it.' })
  userPrincipalName!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'The issuer of the tokens of the user; the tenant where the address of the issuer is that of the tenant, as with Entra ID. Null, as the next two, for one who was revoked by mere name, before identities were kept.',
  })
  issuer!: string | null;

  @Field(() => UuidScalar, {
    nullable: true,
    description: 'The tenant that the tokens of the user are from; null where they name none.',
  })
  tenantId!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The object id of the user at the issuer, which stays when the name changes; null where only the name is known.',
  })
  objectId!: string | null;
}

problemType(OwnAccessNotRevocable, 'Returned when you name yourself: nobody can revoke their own access.');
problemType(UserUnknown, 'Returned when nobody ever came under that name or object id.');
problemType(UserAmbiguous, 'Returned when several users go by that name or object id.', {
  users: {
    type: () => [IdentityType],
    description:
      'The users who go by that, at most 100. Name one by `objectId`, and by `tenantId` and `issuer` where that is not enough.',
  },
});
problemType(AccessNotRevoked, 'Returned when the access of the user is not revoked.');

@InputType('RevokeAccessInput', { description: 'The user whose access is revoked, and why.' })
export class RevokeAccessInput {
  @Field(() => String, {
    nullable: true,
    description:
      'A user principal name that the user came under, in either case, such as `anna@partner.example`. Give it or `objectId`.',
  })
  @IsOptional()
  @IsNameOfUser('a user principal name')
  userPrincipalName?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The object id of the user, case as given, as in `ActivityActor.objectId`.',
  })
  @IsOptional()
  @IsNameOfUser('an object id')
  objectId?: string | null;

  @Field(() => UuidScalar, {
    nullable: true,
    description:
      'The tenant of the user, which tells apart those who go by the same name or object id. Beside `issuer` a null means a user without a tenant.',
  })
  tenantId?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'The issuer of the tokens of the user, as `UserAmbiguous.users` has it, where the tenant is not enough.',
  })
  @IsOptional()
  @IsNameOfUser('an issuer')
  issuer?: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why it is done, in one line of 1 to 1000 characters. It is written to the activity log.',
  })
  @IsOptional()
  @IsLine(1, 1_000)
  reason?: string | null;
}

@InputType('RestoreAccessInput', { description: 'The user whose access is given back, and why.' })
export class RestoreAccessInput extends RevokeAccessInput {}

@ObjectType('RevokeAccessSuccess', {
  description:
    'Returned when no gateway serves the user any more, whatever the token, until `restoreAccess`. Live streams of the user end with `AccessChanged`; links and upload addresses that the user made are dead for good.',
})
export class RevokeAccessSuccess {
  @Field({ description: 'The user principal name in lower case, as the log has it.' })
  userPrincipalName!: string;

  @Field(() => IdentityType, { description: 'The user whose access was revoked.' })
  user!: IdentityType;

  @Field(() => DateTimeScalar, { description: 'The instant from which nothing is done for the user.' })
  revokedAt!: Date;
}

@ObjectType('RestoreAccessSuccess', {
  description: 'Returned when the user may come again. Links and upload addresses from before stay dead.',
})
export class RestoreAccessSuccess {
  @Field(() => IdentityType, { description: 'The user whose access was given back.' })
  user!: IdentityType;

  @Field(() => DateTimeScalar, { description: 'The instant from which tokens of the user count again.' })
  restoredAt!: Date;
}

export const RevokeAccessResult = createUnionType({
  name: 'RevokeAccessResult',
  description: 'The answer of `revokeAccess`: its success or the reason why not.',
  types: () => [RevokeAccessSuccess, OwnAccessNotRevocable, UserUnknown, UserAmbiguous] as const,
  resolveType: resultMember('RevokeAccessSuccess'),
});

export const RestoreAccessResult = createUnionType({
  name: 'RestoreAccessResult',
  description: 'The answer of `restoreAccess`: its success or the reason why not.',
  types: () => [RestoreAccessSuccess, AccessNotRevoked, UserUnknown, UserAmbiguous] as const,
  resolveType: resultMember('RestoreAccessSuccess'),
});
