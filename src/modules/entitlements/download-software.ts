import { LockMode } from '@mikro-orm/core';
import { recordActivity } from '../../activity-log/record-activity.js';
import { parseIdentity } from '../../auth/identity.js';
import { diedWithAccess, type Made } from '../../context/admission.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import { DownloadLink } from './entitlement.entity.js';

/** Why a link is dead (rule 11). */
export type DeadLink = 'REVOKED' | 'EXPIRED' | 'USED_UP';

/** What is to be sent. */
export interface Download {
  productId: string;
  skuId: string;
  title: string;
  version: string;
  language: string;
  architecture: string;
  remainingDownloads: number;
}

/**
 * Counts a download and writes it down (rule 11). It happens before the first byte: a download that is not in the log
 * does not take place. Answers why the link is dead, or null where there never was such a link.
 */
export async function downloadSoftware(
  em: Em,
  linkId: string,
  now: Date,
  correlationId: string,
): Promise<Download | DeadLink | null> {
  const link = await em.findOne(DownloadLink, { id: linkId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!link) return null;
  await em.populate(link, ['entitlement.sku.product', 'entitlement.orderLine']);
  if (link.revokedAt || link.entitlement.status === 'REVOKED' || (await diedWithAccess(em, makerOf(link))))
    return 'REVOKED';
  if (link.expiresAt <= now) return 'EXPIRED';
  if (link.downloads >= link.maximumDownloads) return 'USED_UP';
  link.downloads += 1;
  const { version, language, architecture, entitlement } = link;
  const remainingDownloads = link.maximumDownloads - link.downloads;
  recordActivity(em, {
    action: 'SOFTWARE_DOWNLOADED',
    outcome: 'SUCCEEDED',
    // The link opens without a token: whoever has it acts in the name of who made it.
    actor: {
      identity: parseIdentity(link.createdByIdentity ?? null),
      userPrincipalName: link.createdBy,
      role: link.createdByRole,
      application: 'download link',
    },
    customerId: entitlement.customer.id,
    orderId: entitlement.orderLine.order.id,
    productIds: [entitlement.sku.product.productId],
    resource: { type: 'DOWNLOAD_LINK', id: toGlobalId('Entitlement', entitlement.id), label: entitlement.sku.title },
    correlationId,
    detail: { version, language, architecture, remainingDownloads },
  });
  return {
    productId: entitlement.sku.product.productId,
    skuId: entitlement.sku.skuId,
    title: entitlement.sku.title,
    version,
    language,
    architecture,
    remainingDownloads,
  };
}

function makerOf({ createdByIdentity, createdBy, createdAt }: DownloadLink): Made {
  return { identity: createdByIdentity ?? null, userPrincipalName: createdBy, at: createdAt };
}
