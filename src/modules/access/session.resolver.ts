import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { isProblem } from '../../domain/problem.js';
import { compiled } from '../../graphql/compiled.js';
import { codedError, ErrorCode } from '../../graphql/errors.js';
import { idOf } from '../../graphql/id-of.js';
import { validateInput } from '../../graphql/validate-input.js';
import { endSession } from './end-session.js';
import { EndSessionInput, EndSessionResult, SessionConnection, SessionsArgs } from './session.type.js';

@Resolver()
export class SessionResolver {
  @Query(() => SessionConnection, {
    nullable: true,
    description:
      'The sockets, event streams and exports that are open, on every gateway of the database. One that has just opened is listed within a second.',
  })
  sessions(@Args(() => SessionsArgs) _args: SessionsArgs): never {
    return compiled();
  }

  @Mutation(() => EndSessionResult, {
    nullable: true,
    description:
      'Cuts a session: its socket closes with 4401, its stream or export ends. To keep its user away, revoke access.',
  })
  async endSession(
    @Arg('input', () => EndSessionInput, { description: 'Which session is to be cut.', validateFn: validateInput })
    input: EndSessionInput,
    @Ctx() context: Context,
  ) {
    const id = idOf('Session', input.sessionId, 'input.sessionId');
    const result = await inTransaction(context, (unit) => endSession(unit, id));
    if (isProblem(result)) return result;
    if (await context.services.sessions.isOver(id)) return result;
    throw codedError(
      ErrorCode.UNAVAILABLE,
      'The gateway that has the session does not answer. It cuts the session as soon as it does; until then it may be open.',
    );
  }
}
