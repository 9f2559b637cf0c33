import { PriceListView, ProductKind } from '../../domain/product-kind.js';
import { InvalidCell } from '../files/invalid-cell.js';
import type { Cells } from './price-list-columns.js';

/** A SKU's kind and its ISO 8601 term; null for perpetual software. */
export interface KindAndTerm {
  kind: ProductKind;
  termDuration: string | null;
}

const TERM = /^P[1-9]\d{0,2}[MY]$/i;
const RESERVATION_TITLE = /\b(reserved|reservation)\b/i;
const LINUX_VENDOR = /^(SUSE|Red Hat)\b/i;

/**
 * Tells what a row sells from `TermDuration` and `Tags`, and reservations and Linux plans from their titles too: the
 * list has no column for the kind.
 */
export function kindAndTerm(cells: Cells): KindAndTerm | InvalidCell {
  const tags = tagsOf(cells);
  const term = cells.TermDuration.toUpperCase();
  if (term === 'ONETIME' || (term === '' && tags.has('perpetual'))) {
    if (tags.has('subscription')) return new InvalidCell('OneTime contradicts the tag Subscription');
    if (tags.has('reservation'))
      return new InvalidCell('OneTime contradicts the tag Reservation: a reservation has a term');
    return { kind: ProductKind.PERPETUAL_SOFTWARE, termDuration: null };
  }
  if (term === '') return new InvalidCell('is blank, and Tags does not say Perpetual');
  if (!TERM.test(term)) return new InvalidCell('must be OneTime or a term of months or years such as P1M, P1Y or P3Y');
  if (tags.has('perpetual'))
    return new InvalidCell(`${term} contradicts the tag Perpetual: perpetual software has no term`);
  return { kind: kindWithTerm(cells, tags), termDuration: term };
}

/** Which list a row is of: several are imported in one way, and what one lacks says nothing about another. */
export function viewOf(kind: ProductKind, cells: Cells): PriceListView {
  if (kind === ProductKind.AZURE_RESERVATION) return PriceListView.AZURE_RESERVATIONS;
  return tagsOf(cells).has('license') ? PriceListView.LICENSES : PriceListView.SOFTWARE;
}

const tagsOf = (cells: Cells): ReadonlySet<string> =>
  new Set(cells.Tags.split(';').map((tag) => tag.trim().toLowerCase()));

function kindWithTerm(cells: Cells, tags: ReadonlySet<string>): ProductKind {
  const titles = [cells.ProductTitle, cells.SkuTitle];
  if ([...titles, cells.Publisher].some((text) => LINUX_VENDOR.test(text))) return ProductKind.LINUX_PLAN;
  if (tags.has('azure') || tags.has('reservation') || titles.some((title) => RESERVATION_TITLE.test(title)))
    return ProductKind.AZURE_RESERVATION;
  return ProductKind.SOFTWARE_SUBSCRIPTION;
}
