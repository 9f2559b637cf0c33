import { sql } from 'kysely';
import type { Em } from '../../database/orm.js';
import type { ProductKind } from '../../domain/product-kind.js';
import type { CancellationTerms } from '../../domain/refund-option.js';

/** A day in UTC as the database compares it with effective dates. */
const dayOf = (at: Date) => sql`${at.toISOString().slice(0, 10)}::date`;

/**
 * What sales of SKUs at an instant are judged by when they are cancelled (rule 13), by the id of the SKU's row: the newest
 * policy of the SKU itself that is in effect, else of its kind. One that no policy covers can never be cancelled.
 */
export async function cancellationTermsAt(
  em: Em,
  skuIds: readonly string[],
  at: Date,
): Promise<ReadonlyMap<string, CancellationTerms>> {
  const { rows } = await sql<CancellationTerms & { id: string }>`
    select distinct on (sku.id) sku.id, policy.refund_options as "refundOptions",
      policy.support_request_required as "supportRequestRequired"
    from skus sku
    join cancellation_policies policy on policy.sku_id = sku.id or (policy.sku_id is null and policy.kind = sku.kind)
    where sku.id = any(${[...skuIds]}::uuid[]) and policy.effective_date <= ${dayOf(at)}
    order by sku.id, policy.sku_id is null, policy.effective_date desc
  `.execute(em.getKysely());
  const never = (): CancellationTerms => ({ refundOptions: [], supportRequestRequired: false });
  const found = new Map(rows.map(({ id, ...terms }) => [id, terms]));
  return new Map(skuIds.map((id) => [id, found.get(id) ?? never()]));
}

/** The kinds of product that may not be sold in a market on the day of an instant (rule 1). */
export async function kindsClosedAt(em: Em, market: string, at: Date): Promise<ReadonlySet<ProductKind>> {
  const { rows } = await sql<{ kind: ProductKind }>`
    select kind from (
      select distinct on (kind) kind, is_closed from market_closures
      where market_code = ${market} and effective_date <= ${dayOf(at)}
      order by kind, effective_date desc
    ) newest where is_closed
  `.execute(em.getKysely());
  return new Set(rows.map(({ kind }) => kind));
}
