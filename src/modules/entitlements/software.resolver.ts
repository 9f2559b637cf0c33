import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, FieldResolver, Info, Mutation, Resolver, Root } from 'type-graphql';
import type { Context } from '../../context/context.js';
import { inTransaction } from '../../context/transaction.js';
import { isProblem } from '../../domain/problem.js';
import { idOf } from '../../graphql/id-of.js';
import { validateInput } from '../../graphql/validate-input.js';
import { createDownloadLink } from './create-download-link.js';
import { revealProductKey } from './reveal-product-key.js';
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
    description:
      'Shows the product key of an entitlement, once the activity log says who is shown it. Refused attempts are logged too.',
  })
  async revealProductKey(
    @Arg('input', () => RevealProductKeyInput, {
      description: 'The entitlement and the version that the key is for.',
      validateFn: validateInput,
    })
    input: RevealProductKeyInput,
    @Ctx() context: Context,
  ) {
    const secrets = context.services.config.productKeySecrets;
    const entitlementId = idOf('Entitlement', input.entitlementId, 'input.entitlementId');
    const asked = { entitlementId, version: input.version };
    const result = await inTransaction(context, (unit) => revealProductKey(unit, secrets, asked), {
      row: entitlementId,
    });
    return isProblem(result) ? result : { entitlementId, ...result };
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
    description:
      'Makes a link to download software, once the activity log says who makes it. Refused attempts are logged too.',
  })
  async createDownloadLink(
    @Arg('input', () => CreateDownloadLinkInput, {
      description: 'The entitlement and the software to download.',
      validateFn: validateInput,
    })
    input: CreateDownloadLinkInput,
    @Ctx() context: Context,
  ) {
    const { signer, publicUrl } = context.services;
    const entitlementId = idOf('Entitlement', input.entitlementId, 'input.entitlementId');
    const link = await inTransaction(context, (unit) => createDownloadLink(unit, { ...input, entitlementId }), {
      row: entitlementId,
    });
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
