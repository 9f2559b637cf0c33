import { ProductKind } from '../../domain/product-kind.js';
import type { ToldOrderLine } from '../../domain/upstream.js';

const LINUX = /\b(SUSE|Red Hat|Linux)\b/i;
const RESERVATION = /\b(reserv|savings plan)/i;

/**
 * What a line of an order is, where the catalog does not know its SKU: an order says its term and its title alone. What has
 * none is perpetual.
 */
export function kindOf({ termDuration, title }: Pick<ToldOrderLine, 'termDuration' | 'title'>): ProductKind {
  if (!termDuration) return ProductKind.PERPETUAL_SOFTWARE;
  if (LINUX.test(title ?? '')) return ProductKind.LINUX_PLAN;
  if (RESERVATION.test(title ?? '')) return ProductKind.AZURE_RESERVATION;
  return ProductKind.SOFTWARE_SUBSCRIPTION;
}
