import { recordActivity } from '../../activity-log/record-activity.js';
import { parseIdentity } from '../../auth/identity.js';
import { diedWithAccess, holdMaker, type Made } from '../../context/admission.js';
import { askClock, type Clock } from '../../context/clock.js';
import { inLockOrder } from '../../database/lock-order.js';
import type { Em } from '../../database/orm.js';
import { toGlobalId } from '../../domain/global-id.js';
import { SoftwareVersion } from '../catalog/catalog.entity.js';
import { Order } from '../orders/order.entity.js';
import { OrderLineStatus } from '../orders/order-status.js';
import { DownloadLink, DownloadUse } from './entitlement.entity.js';

/** Why a link is dead (rule 11), or gives nothing while a cancellation waits for the provider (rule 17). */
export type DeadLink = 'REVOKED' | 'CANCELLATION_PENDING' | 'EXPIRED' | 'USED_UP';

/** Who uses a link. */
export interface LinkUse {
  linkId: string;
  /** Network address of the client (`lib/network.ts`). */
  address: string;
}

/** What is to be sent. */
export interface Download {
  productId: string;
  skuId: string;
  title: string;
  version: string;
  language: string;
  architecture: string;
  /** Where the image lies, as `SoftwareVersion.artifact` has it. */
  artifact: string | null;
  remainingDownloads: number;
  expiresAt: Date;
  /** It was counted for this address today: what is asked for now is more of the same download. */
  isCounted: boolean;
}

/**
 * Counts a download and writes it down (rule 11), once for a link, an address and a day in UTC, in how many parts it
 * may come. It happens before the first byte: a download that is not in the log does not take place. Answers why the
 * link is dead, or null where there never was such a link.
 */
export async function downloadSoftware(
  em: Em,
  use: LinkUse,
  clock: Clock,
  correlationId: string,
): Promise<Download | DeadLink | null> {
  const now = await lockLink(em, use, clock);
  if (!now) return null;
  const found = await liveLink(em, use, now);
  if (found === null || typeof found === 'string') return found;
  const { link, isCounted } = found;
  if (isCounted) return downloadOf(em, link, isCounted);
  link.downloads += 1;
  em.create(DownloadUse, { link, address: use.address, day: dayOf(now), firstAt: now }, { persist: true });
  const { version, language, architecture, entitlement } = link;
  const download = await downloadOf(em, link, true);
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
    detail: { version, language, architecture, remainingDownloads, address: use.address },
  });
  return download;
}

/** What a link would give now, without taking it: nothing is counted, nothing written down. */
export async function inspectDownload(em: Em, use: LinkUse, clock: Clock): Promise<Download | DeadLink | null> {
  const found = await liveLink(em, use, await askClock(em, clock));
  return found === null || typeof found === 'string' ? found : downloadOf(em, found.link, found.isCounted);
}

/**
 * Locks a link behind its order: a cancellation of it that is under way is waited for. Answers what the time is then;
 * null where there never was such a link.
 */
async function lockLink(em: Em, { linkId: id }: LinkUse, clock: Clock): Promise<Date | null> {
  const [found] = await em.execute<{ orderId: string; maker: string | null }[]>(
    `select "order_lines"."order_id" as "orderId", "download_links"."created_by_identity" as "maker"
     from "download_links" join "entitlements" on "entitlements"."id" = "download_links"."entitlement_id"
     join "order_lines" on "order_lines"."id" = "entitlements"."order_line_id" where "download_links"."id" = ?`,
    [id],
  );
  if (!found) return null;
  if (found.maker) await holdMaker(em, found.maker);
  await em.findOneOrFail(Order, { id: found.orderId }, { lockMode: inLockOrder(em, 'ORDER') });
  await em.findOneOrFail(DownloadLink, { id }, { lockMode: inLockOrder(em, 'DOWNLOAD_LINK') });
  return askClock(em, clock);
}

/** A link that is good, or why it is dead; null where there never was such a link. */
async function liveLink(
  em: Em,
  { linkId: id, address }: LinkUse,
  now: Date,
): Promise<{ link: DownloadLink; isCounted: boolean } | DeadLink | null> {
  const link = await em.findOne(DownloadLink, { id });
  if (!link) return null;
  await em.populate(link, ['entitlement.sku.product', 'entitlement.orderLine']);
  const { entitlement } = link;
  if (link.revokedAt || entitlement.status === 'REVOKED' || (await diedWithAccess(em, makerOf(link)))) return 'REVOKED';
  if (entitlement.orderLine.status === OrderLineStatus.CANCELLATION_PENDING) return 'CANCELLATION_PENDING';
  if (link.expiresAt <= now || (entitlement.expiresAt && entitlement.expiresAt <= now)) return 'EXPIRED';
  const isCounted = (await em.findOne(DownloadUse, { link, address, day: dayOf(now) })) !== null;
  return isCounted || link.downloads < link.maximumDownloads ? { link, isCounted } : 'USED_UP';
}

const dayOf = (now: Date) => now.toISOString().slice(0, 10);

async function downloadOf(em: Em, link: DownloadLink, isCounted: boolean): Promise<Download> {
  const { sku } = link.entitlement;
  const offered = await em.findOne(SoftwareVersion, { sku, version: link.version });
  return {
    productId: sku.product.productId,
    skuId: sku.skuId,
    title: sku.title,
    version: link.version,
    language: link.language,
    architecture: link.architecture,
    artifact: offered?.artifact ?? null,
    remainingDownloads: link.maximumDownloads - link.downloads,
    expiresAt: link.expiresAt,
    isCounted,
  };
}

function makerOf({ createdByIdentity, createdBy, createdAt }: DownloadLink): Made {
  return { identity: createdByIdentity ?? null, userPrincipalName: createdBy, at: createdAt };
}
