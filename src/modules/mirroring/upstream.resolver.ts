import { Ctx, Query, Resolver } from 'type-graphql';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { Costs } from '../../graphql/cost.js';
import { UpstreamType } from './upstream.type.js';
import { countIntents, countListed, lastFailures, readSyncs } from './upstream-status.js';

/** Points: customers and intents are counted. */
const UPSTREAM = 50;

@Resolver()
export class UpstreamResolver {
  @Costs(UPSTREAM)
  @Query(() => UpstreamType, {
    nullable: true,
    description:
      'The upstream behind the gateway: how old what is read of it is, what is broken, by when somebody has to sign in. Null where the gateway has none.',
  })
  async upstream(@Ctx() context: Context) {
    const { upstream } = context.services;
    if (!upstream) return null;
    const [callsUsed, signInDueAt] = await Promise.all([upstream.callsUsed(), upstream.signInDueAt()]);
    const { kind, isSandbox, callsPerMinute } = upstream;
    const account = { kind, isSandbox, callsPerMinute, callsUsed, signInDueAt };
    return inTransaction(context, async ({ em }) => {
      const kysely = em.getKysely() as never;
      return {
        ...account,
        ...(await countListed(kysely)),
        syncs: await readSyncs(kysely),
        intents: await countIntents(kysely),
        failures: await lastFailures(kysely),
      };
    });
  }
}
