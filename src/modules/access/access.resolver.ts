import { IsOptional } from 'class-validator';
import {
  Arg,
  Ctx,
  createUnionType,
  Field,
  InputType,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  registerEnumType,
} from 'type-graphql';
import { Role, roleDescriptions } from '../../auth/role.js';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { isProblem } from '../../domain/problem.js';
import { IsText, IsUserPrincipalName } from '../../graphql/input-rules.js';
import { problemType, resultMember } from '../../graphql/problem.type.js';
import { DateTimeScalar, UuidScalar } from '../../graphql/scalars.js';
import { validateInput } from '../../graphql/validate-input.js';
import { OwnAccessNotRevocable, revokeAccess } from './revoke-access.js';

registerEnumType(Role, {
  name: 'Role',
  description: 'What a caller may do, as the identity provider says in the claims of the token.',
  valuesConfig: Object.fromEntries(
    Object.entries(roleDescriptions).map(([role, description]) => [role, { description }]),
  ) as never,
});
problemType(OwnAccessNotRevocable, 'Returned when you name yourself: nobody can revoke their own access.');

@ObjectType('Viewer', { description: 'The caller of the operation, as the token tells.' })
export class ViewerType {
  @Field({ description: 'The user principal name, such as `anna@partner.example`; `anonymous` without a token.' })
  userPrincipalName!: string;

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

@InputType('RevokeAccessInput', { description: 'The user whose access is revoked, and why.' })
export class RevokeAccessInput {
  @Field({ description: 'The user principal name, in either case: `anna@partner.example`.' })
  @IsUserPrincipalName()
  userPrincipalName!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Why the access is revoked, in 1 to 1000 characters. It is written to the activity log.',
  })
  @IsOptional()
  @IsText(1, 1_000)
  reason?: string | null;
}

@ObjectType('RevokeAccessSuccess', {
  description:
    'Returned when every token of the user that was issued until now is void. Live streams of the user end with `AccessChanged`.',
})
export class RevokeAccessSuccess {
  @Field({ description: 'The user principal name in lower case, as the log has it.' })
  userPrincipalName!: string;

  @Field(() => DateTimeScalar, {
    description: 'Tokens issued up to this instant are void; one that is issued later counts again.',
  })
  revokedAt!: Date;
}

const RevokeAccessResult = createUnionType({
  name: 'RevokeAccessResult',
  description: 'The answer of `revokeAccess`: its success or the reason why not.',
  types: () => [RevokeAccessSuccess, OwnAccessNotRevocable] as const,
  resolveType: resultMember('RevokeAccessSuccess'),
});

@Resolver()
export class AccessResolver {
  @Query(() => ViewerType, { description: 'The caller of this operation. Everybody may ask, also without a token.' })
  viewer(@Ctx() { viewer }: Context) {
    return { ...viewer, expiresAt: viewer.expiresAt === null ? null : new Date(viewer.expiresAt) };
  }

  @Mutation(() => RevokeAccessResult, {
    nullable: true,
    description: 'Voids every token of a user that was issued until now, and ends the live streams of that user.',
  })
  async revokeAccess(
    @Arg('input', () => RevokeAccessInput, {
      description: 'The user whose access is revoked, and why.',
      validateFn: validateInput,
    })
    input: RevokeAccessInput,
    @Ctx() context: Context,
  ) {
    const result = await inTransaction(context, (unit) =>
      revokeAccess(unit, { userPrincipalName: input.userPrincipalName, reason: input.reason ?? null }),
    );
    // Here at once; other processes learn it from the feed.
    if (!isProblem(result)) context.services.revocations.add(result.userPrincipalName, result.revokedAt.getTime());
    return result;
  }
}
