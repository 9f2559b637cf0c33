import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Info, Mutation, Resolver, Root } from 'type-graphql';
import { Auth, LogsDenial } from '../../auth/auth.js';
import { keyRevealers } from '../../auth/role-sets.js';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { isProblem } from '../../domain/problem.js';
import { idOf } from '../../graphql/id-of.js';
import { validateInput } from '../../graphql/validate-input.js';
import { createDownloadLink } from './create-download-link.js';
import { decryptKey, revealProductKey } from './reveal-product-key.js';
import {
  CreateDownloadLinkInput,
  CreateDownloadLinkResult,
  CreateDownloadLinkSuccess,
  RevealProductKeyInput,
  RevealProductKeyResult,
  RevealProductKeySuccess,
} from './software.type.js';

@Resolver(() => RevealProductKeySuccess)
export class RevealProductKeyResolver {
  @Mutation(() => RevealProductKeyResult, {
    nullable: true,
    description: `Shows a product key, and writes down who saw it (rules 7 to 10). For ${keyRevealers.join(', ')}.`,
  })
  @Auth(...keyRevealers)
  @LogsDenial()
  async revealProductKey(
    @Arg('input', () => RevealProductKeyInput, { description: 'Whose key to show.', validateFn: validateInput })
    input: RevealProductKeyInput,
    @Ctx() context: Context,
  ) {
    const secrets = context.services.config.productKeySecrets;
    const entitlementId = idOf('Entitlement', input.entitlementId, 'input.entitlementId');
    const result = await inTransaction(context, (unit) =>
      revealProductKey(unit, secrets, { entitlementId, version: input.version }),
    );
    return isProblem(result) ? result : { entitlementId, productKey: decryptKey(result, secrets) };
  }

  @FieldResolver()
  entitlement(@Root() success: { entitlementId: string }, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.load('Entitlement', success.entitlementId, info);
  }
}

@Resolver(() => CreateDownloadLinkSuccess)
export class CreateDownloadLinkResolver {
  @Mutation(() => CreateDownloadLinkResult, {
    nullable: true,
    description: `Makes a link to download software, and writes down who did (rules 7, 9 and 11). For ${keyRevealers.join(', ')}.`,
  })
  @Auth(...keyRevealers)
  @LogsDenial()
  async createDownloadLink(
    @Arg('input', () => CreateDownloadLinkInput, { description: 'What to download.', validateFn: validateInput })
    input: CreateDownloadLinkInput,
    @Ctx() context: Context,
  ) {
    const { signer, publicUrl } = context.services;
    const entitlementId = idOf('Entitlement', input.entitlementId, 'input.entitlementId');
    const link = await inTransaction(context, (unit) => createDownloadLink(unit, { ...input, entitlementId }));
    if (isProblem(link)) return link;
    // The table says when a link dies, so that a dead one can tell why; its signature only says that it is ours.
    const token = await signer.sign('download', { link: link.id }, null);
    return {
      entitlementId,
      downloadLink: {
        url: `${publicUrl()}/downloads/${token}`,
        expiresAt: link.expiresAt,
        remainingDownloads: link.maximumDownloads - link.downloads,
        version: link.version,
        language: link.language,
        architecture: link.architecture,
      },
    };
  }

  @FieldResolver()
  entitlement(@Root() success: { entitlementId: string }, @Ctx() { read }: Context, @Info() info: GraphQLResolveInfo) {
    return read.load('Entitlement', success.entitlementId, info);
  }
}
