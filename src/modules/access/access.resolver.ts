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
import { Auth } from '../../auth/auth.js';
import { Role, roleDescriptions } from '../../auth/role.js';
import { accessRevokers } from '../../auth/role-sets.js';
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
  description: 'Who somebody is, as the identity provider says.',
  valuesConfig: Object.fromEntries(
    Object.entries(roleDescriptions).map(([role, description]) => [role, { description }]),
  ) as never,
});
problemType(OwnAccessNotRevocable, 'Nobody revokes their own access.');

@ObjectType('Viewer', { description: 'Who asks.' })
export class ViewerType {
  @Field({ description: 'User principal name; `anonymous` without a token.' })
  userPrincipalName!: string;

  @Field(() => [Role], { description: 'Roles that the token names; none for anonymous.' })
  roles!: Role[];

  @Field(() => UuidScalar, { nullable: true, description: 'Tenant that the token is from.' })
  tenantId!: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the token expires.' })
  expiresAt!: Date | null;
}

@InputType('RevokeAccessInput', { description: 'Whose access to revoke.' })
export class RevokeAccessInput {
  @Field({ description: 'User principal name.' })
  @IsUserPrincipalName()
  userPrincipalName!: string;

  @Field(() => String, { nullable: true, description: 'Why: 1 to 1000 characters. It goes into the log.' })
  @IsOptional()
  @IsText(1, 1_000)
  reason?: string | null;
}

@ObjectType('RevokeAccessSuccess', { description: 'Tokens issued until now are void, and live streams end.' })
export class RevokeAccessSuccess {
  @Field({ description: 'Whose access.' })
  userPrincipalName!: string;

  @Field(() => DateTimeScalar, { description: 'Since when.' })
  revokedAt!: Date;
}

const RevokeAccessResult = createUnionType({
  name: 'RevokeAccessResult',
  description: 'What became of revoking access.',
  types: () => [RevokeAccessSuccess, OwnAccessNotRevocable] as const,
  resolveType: resultMember('RevokeAccessSuccess'),
});

@Resolver()
export class AccessResolver {
  @Query(() => ViewerType, { description: 'Who asks. Open to everybody.' })
  viewer(@Ctx() { viewer }: Context) {
    return { ...viewer, expiresAt: viewer.expiresAt === null ? null : new Date(viewer.expiresAt) };
  }

  @Mutation(() => RevokeAccessResult, {
    nullable: true,
    description: `Voids every token of a user and ends their streams. For ${accessRevokers.join(', ')}.`,
  })
  @Auth(...accessRevokers)
  async revokeAccess(
    @Arg('input', () => RevokeAccessInput, { description: 'Whose access.', validateFn: validateInput })
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
