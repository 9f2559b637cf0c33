import { actorOf, recordActivity } from '../../activity-log/record-activity.js';
import { actingRole } from '../../auth/viewer.js';
import type { UnitOfWork } from '../../context/transaction.js';
import { toGlobalId } from '../../domain/global-id.js';
import { newId } from '../../domain/ids.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import { DownloadLink } from './entitlement.entity.js';
import { chooseSoftware, SoftwareChoiceNotOffered } from './software-choice.js';

/** Rule 11: a link lives 14 days or 50 downloads, whichever ends first, and no longer than its licence. */
const LIFE_DAYS = 14;
export const MAXIMUM_DOWNLOADS = 50;

export interface CreateDownloadLink {
  /** Id of the entitlement's row. */
  entitlementId: string;
  version: string;
  language: string;
  architecture: string;
}

/** Makes a download link (rules 7, 9 and 11). Answers a problem of software-choice.ts where there is none to have. */
export async function createDownloadLink(unit: UnitOfWork, input: CreateDownloadLink): Promise<DownloadLink | Problem> {
  const chosen = await chooseSoftware(unit, 'createDownloadLink', input.entitlementId, input.version);
  if (isProblem(chosen)) return chosen;
  const { entitlement, offered } = chosen;
  if (!offered.languages.includes(input.language)) return new SoftwareChoiceNotOffered('language', offered.languages);
  if (!offered.architectures.includes(input.architecture))
    return new SoftwareChoiceNotOffered('architecture', offered.architectures);
  const { em, viewer, now, correlationId } = unit;
  const { version, language, architecture } = input;
  const ends = now.getTime() + LIFE_DAYS * 86_400_000;
  const expiresAt = new Date(Math.min(ends, entitlement.expiresAt?.getTime() ?? ends));
  const link = em.create(DownloadLink, {
    id: newId(),
    entitlement,
    version,
    language,
    architecture,
    createdAt: now,
    createdBy: viewer.userPrincipalName,
    createdByRole: actingRole(viewer),
    createdByIdentity: viewer.identity?.key ?? null,
    expiresAt,
    maximumDownloads: MAXIMUM_DOWNLOADS,
    downloads: 0,
  });
  em.persist(link);
  recordActivity(em, {
    action: 'DOWNLOAD_LINK_CREATED',
    outcome: 'SUCCEEDED',
    actor: actorOf(viewer),
    customerId: entitlement.customer.id,
    orderId: entitlement.orderLine.order.id,
    productIds: [entitlement.sku.product.productId],
    resource: { type: 'ENTITLEMENT', id: toGlobalId('Entitlement', entitlement.id), label: entitlement.sku.title },
    correlationId,
    detail: { version, language, architecture, expiresAt: expiresAt.toISOString() },
  });
  return link;
}
