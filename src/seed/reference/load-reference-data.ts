import { sql } from 'kysely';
import { v5 } from 'uuid';
import type { Em } from '../../database/orm.js';
import { ProductKind } from '../../domain/product-kind.js';
import {
  codesClosedToReservations,
  kindPolicies,
  REFERENCE_DATE,
  referenceMarkets,
  referenceProducts,
} from './reference-data.js';

/** Namespace of the ids of reference data (UUID version 5): the same in every database. */
const REFERENCE_NAMESPACE = 'b6c7f0a2-6a3d-4b53-9d0b-0b1f6c2f7a10';

/**
 * Puts the reference data that the product is built from into the database: markets and what is closed there, policies,
 * products, SKUs and their software versions. Quick and harmless to repeat, so it runs at every start. Only what is missing is added:
 * a row that an import changed stays as it is, and a closure, policy or version that one took away does not come back.
 */
export async function loadReferenceData(em: Em): Promise<void> {
  await em.transactional(async (own) => {
    await loadMarkets(own);
    await loadKindPolicies(own);
    await loadProducts(own);
    await loadSkus(own);
  });
}

async function loadMarkets(em: Em): Promise<void> {
  const rows = [...referenceMarkets.values()].map((market) => ({
    code: market.code,
    name: market.nameEn,
    tax_inclusive: market.taxInclusive ?? false,
    currencies: market.currencies,
    closed: codesClosedToReservations.has(market.code),
  }));
  await sql`
    with given as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json)
        as row (code char(2), name text, tax_inclusive boolean, currencies text[], closed boolean)
    ), added as (
      insert into markets (code, name, tax_inclusive, currencies)
      select code, name, tax_inclusive, currencies from given order by code
      on conflict (code) do nothing
      returning code
    )
    insert into market_closures (market_code, kind, effective_date)
    select code, ${ProductKind.AZURE_RESERVATION}, ${REFERENCE_DATE}::date from added join given using (code) where closed
  `.execute(em.getKysely());
}

/** A kind that has any policy keeps what it has. */
async function loadKindPolicies(em: Em): Promise<void> {
  const rows = kindPolicies.map(({ kind, effectiveDate, refundOptions, supportRequestRequired }) => ({
    id: v5(`policy/${kind}/${effectiveDate}`, REFERENCE_NAMESPACE),
    kind,
    effective_date: effectiveDate,
    refund_options: refundOptions,
    support_request_required: supportRequestRequired,
  }));
  await sql`
    insert into cancellation_policies (id, kind, effective_date, refund_options, support_request_required)
    select id, kind, effective_date, refund_options, support_request_required
    from json_populate_recordset(null::cancellation_policies, ${JSON.stringify(rows)}::json) as given
    where not exists (select from cancellation_policies known where known.sku_id is null and known.kind = given.kind)
    on conflict do nothing
  `.execute(em.getKysely());
}

async function loadProducts(em: Em): Promise<void> {
  const rows = referenceProducts.map(({ productId, title, publisher }) => ({
    id: v5(`product/${productId}`, REFERENCE_NAMESPACE),
    product_id: productId,
    title,
    publisher,
  }));
  await sql`
    insert into products (id, product_id, title, publisher)
    select id, product_id, title, publisher from json_populate_recordset(null::products, ${JSON.stringify(rows)}::json)
    order by product_id
    on conflict do nothing
  `.execute(em.getKysely());
}

async function loadSkus(em: Em): Promise<void> {
  const rows = referenceProducts.flatMap(({ skus }) =>
    skus.map((sku) => ({
      id: v5(`sku/${sku.productId}:${sku.skuId}`, REFERENCE_NAMESPACE),
      product: sku.productId,
      sku_id: sku.skuId,
      title: sku.title,
      kind: sku.kind,
      term_duration: sku.termDuration ?? null,
      billing_plan: sku.billingPlan,
      maximum_quantity: sku.maximumQuantity ?? 10_000,
      policy: sku.policy && { id: v5(`policy/${sku.productId}:${sku.skuId}`, REFERENCE_NAMESPACE), ...sku.policy },
      windows_server_edition: sku.windowsServerEdition ?? null,
      cores_per_unit: sku.coresPerUnit ?? null,
      versions: sku.softwareVersions.map((version, position) => ({ ...version, position })),
    })),
  );
  await sql`
    with given as (
      select * from json_to_recordset(${JSON.stringify(rows)}::json)
        as row (id uuid, product text, sku_id text, title text, kind text, term_duration text, billing_plan text,
          maximum_quantity int, policy jsonb, windows_server_edition text, cores_per_unit int, versions json)
    ), added as (
      insert into skus (id, product_id, sku_id, title, kind, term_duration, billing_plan, maximum_quantity,
        windows_server_edition, cores_per_unit)
      select given.id, products.id, given.sku_id, given.title, kind, term_duration, billing_plan, maximum_quantity,
        windows_server_edition, cores_per_unit
      from given join products on products.product_id = given.product
      order by given.product, given.sku_id
      on conflict do nothing
      returning id
    ), judged as (
      insert into cancellation_policies (id, kind, sku_id, effective_date, refund_options, support_request_required)
      select (policy ->> 'id')::uuid, kind, id, ${REFERENCE_DATE}::date, policy -> 'refundOptions',
        (policy ->> 'supportRequestRequired')::boolean
      from added join given using (id) where policy is not null
    )
    insert into software_versions (sku_id, version, position, languages, architectures)
    select added.id, version.version, version.position, version.languages, version.architectures
    from added
    join given using (id)
    cross join lateral json_to_recordset(given.versions)
      as version (version text, position int, languages text[], architectures text[])
  `.execute(em.getKysely());
}
