import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { changeAccessAlone } from '../../context/admission.js';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import { Costs } from '../../graphql/cost.js';
import { badUserInput } from '../../graphql/errors.js';
import { validateInput } from '../../graphql/validate-input.js';
import {
  RestoreAccessInput,
  RestoreAccessResult,
  RevokeAccessInput,
  RevokeAccessResult,
} from './change-access.type.js';
import { restoreAccess } from './restore-access.js';
import { type AccessChanged, type RevokeAccess, revokeAccess } from './revoke-access.js';
import { ViewerType } from './viewer.type.js';

@Resolver()
export class AccessResolver {
  @Costs(1)
  @Query(() => ViewerType, { description: 'The caller of this operation. Everybody may ask, also without a token.' })
  viewer(@Ctx() { viewer }: Context) {
    const { userPrincipalName, identity, roles, noRolesReason, tenantId, expiresAt } = viewer;
    return {
      userPrincipalName,
      objectId: identity?.objectId ?? null,
      roles,
      noRolesReason,
      tenantId,
      expiresAt: expiresAt === null ? null : new Date(expiresAt),
    };
  }

  @Mutation(() => RevokeAccessResult, {
    nullable: true,
    description:
      "Takes a user's access away, with any token and on every gateway, until `restoreAccess`. Waits for what the user is doing; once it has answered nothing more is read or done by the user, and live streams of the user have ended.",
  })
  async revokeAccess(
    @Arg('input', () => RevokeAccessInput, {
      description: 'The user whose access is revoked, and why.',
      validateFn: validateInput,
    })
    input: RevokeAccessInput,
    @Ctx() context: Context,
  ) {
    const { clock } = context.services;
    const reference = referenceOf(input);
    const result = await inTransaction(context, (unit) => revokeAccess(unit, reference, clock), {
      before: changeAccessAlone,
    });
    return toldEverybody(context, result, ({ user, at }) => ({
      userPrincipalName: user.userPrincipalName,
      user,
      revokedAt: at,
    }));
  }

  @Mutation(() => RestoreAccessResult, {
    nullable: true,
    description: "Gives back a user's access that was revoked. What the user had made stays dead.",
  })
  async restoreAccess(
    @Arg('input', () => RestoreAccessInput, {
      description: 'The user whose access is given back, and why.',
      validateFn: validateInput,
    })
    input: RestoreAccessInput,
    @Ctx() context: Context,
  ) {
    const reference = referenceOf(input);
    const result = await inTransaction(context, (unit) => restoreAccess(unit, reference), {
      before: changeAccessAlone,
    });
    return toldEverybody(context, result, ({ user, at }) => ({ user, restoredAt: at }));
  }
}

/** @throws BAD_USER_INPUT where nobody is named */
function referenceOf({ userPrincipalName, objectId, tenantId, issuer, reason }: RevokeAccessInput): RevokeAccess {
  if (userPrincipalName == null && objectId == null)
    throw badUserInput('input', 'must name a user by userPrincipalName or objectId');
  return {
    userPrincipalName: userPrincipalName ?? null,
    objectId: objectId ?? null,
    // Typed clients send null for what they leave out: it says something beside an issuer only.
    tenantId: tenantId ?? (issuer != null && tenantId === null ? null : undefined),
    issuer: issuer ?? null,
    reason: reason ?? null,
  };
}

/** Answers a change once every process knows of it. */
async function toldEverybody<Success>(
  { services }: Context,
  result: AccessChanged | Problem,
  toSuccess: (changed: AccessChanged) => Success,
): Promise<Success | Problem> {
  if (isProblem(result)) return result;
  await services.accessWatch.everybodyKnows(result.revision);
  return toSuccess(result);
}
