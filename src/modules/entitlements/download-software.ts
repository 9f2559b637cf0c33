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
  const link = await liveLink(em, linkId, now, LockMode.PESSIMISTIC_WRITE);
  if (link === null || typeof link === 'string') return link;
  link.downloads += 1;
  const { version, language, architecture, entitlement } = link;
  const download = downloadOf(link);
  const { remainingDownloads } = download;
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
  return download;
}

/** What a link would give now, without taking it: nothing is counted, nothing written down. */
export async function inspectDownload(em: Em, linkId: string, now: Date): Promise<Download | DeadLink | null> {
  const link = await liveLink(em, linkId, now);
  return link === null || typeof link === 'string' ? link : downloadOf(link);
}

/** A link that is good, or why it is dead; null where there never was such a link. */
async function liveLink(em: Em, id: string, now: Date, lockMode?: LockMode): Promise<DownloadLink | DeadLink | null> {
  const link = await em.findOne(DownloadLink, { id }, lockMode === undefined ? {} : { lockMode });
  if (!link) return null;
  await em.populate(link, ['entitlement.sku.product', 'entitlement.orderLine']);
  if (link.revokedAt || link.entitlement.status === 'REVOKED' || (await diedWithAccess(em, makerOf(link))))
    return 'REVOKED';
  if (link.expiresAt <= now) return 'EXPIRED';
  return link.downloads >= link.maximumDownloads ? 'USED_UP' : link;
}

function downloadOf(link: DownloadLink): Download {
  const { sku } = link.entitlement;
  return {
    productId: sku.product.productId,
    skuId: sku.skuId,
    title: sku.title,
    version: link.version,
    language: link.language,
    architecture: link.architecture,
    remainingDownloads: link.maximumDownloads - link.downloads,
  };
}

function makerOf({ createdByIdentity, createdBy, createdAt }: DownloadLink): Made {
  return { identity: createdByIdentity ?? null, userPrincipalName: createdBy, at: createdAt };
}
