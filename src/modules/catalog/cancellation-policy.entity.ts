import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { ProductKind } from '../../domain/product-kind.js';
import type { RefundOption } from '../../domain/refund-option.js';
import { Sku } from './catalog.entity.js';

/** The form of refund options in the database: nothing else can be sold by, whoever wrote it. */
const WELL_FORMED = `jsonb_typeof(refund_options) = 'array' and jsonb_array_length(refund_options) <= 20 and not jsonb_path_exists(refund_options, '$[*] ? (!(@.sequence >= 0) || !(@.type == "FULL" || @.type == "PARTIAL") || !(@.expiresAfter like_regex "^(P(0|[1-9][0-9]{0,3})D|PT[1-9][0-9]{0,4}H)$"))')`;

/**
 * Rule 13: how sales from a day on can be cancelled, of one SKU or, without one, of every SKU of a kind that has none of
 * its own. The newest one that is in effect judges a sale; what was sold before keeps what its order lines froze.
 */
export const CancellationPolicy = defineEntity({
  name: 'CancellationPolicy',
  tableName: 'cancellation_policies',
  properties: {
    id: p.uuid().primary(),
    /** The kind that it is of, also where it is of one SKU. */
    kind: p.enum(Object.values(ProductKind)),
    sku: p.manyToOne(Sku).nullable().deleteRule('cascade'),
    /** The first day (UTC) whose sales it judges. */
    effectiveDate: p.date(),
    /** In order of `sequence`; none: never cancelled, or by support alone. */
    refundOptions: p.json<RefundOption[]>().columnType('jsonb').default('[]'),
    /** Rules 20 and 25: cancelled by a support request instead. */
    supportRequestRequired: p.boolean().default(false),
  },
  uniques: [
    {
      name: 'cancellation_policies_sku_key',
      expression:
        'create unique index "cancellation_policies_sku_key" on "cancellation_policies" ("sku_id", "effective_date") where "sku_id" is not null',
    },
    {
      name: 'cancellation_policies_kind_key',
      expression:
        'create unique index "cancellation_policies_kind_key" on "cancellation_policies" ("kind", "effective_date") where "sku_id" is null',
    },
  ],
  checks: [
    { name: 'cancellation_policies_options', expression: WELL_FORMED },
    {
      name: 'cancellation_policies_support',
      expression: "not support_request_required or refund_options = '[]'",
    },
    {
      name: 'cancellation_policies_linux_plan_final',
      expression: "kind <> 'LINUX_PLAN' or (refund_options = '[]' and not support_request_required)",
    },
    {
      name: 'cancellation_policies_perpetual_full',
      expression: `kind <> 'PERPETUAL_SOFTWARE' or not jsonb_path_exists(refund_options, '$[*] ? (@.type == "PARTIAL")')`,
    },
  ],
  triggers: [
    {
      name: 'cancellation_policies_of_kind',
      timing: 'before',
      events: ['insert', 'update'],
      forEach: 'row',
      body: 'if new.sku_id is not null then new.kind := (select kind from skus where id = new.sku_id); end if; return new',
    },
  ],
});
export type CancellationPolicy = InferEntity<typeof CancellationPolicy>;
