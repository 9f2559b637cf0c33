import { type SqlBool, sql } from 'kysely';
import { computed, properties, type ReadType } from '../../read/model.js';
import type { Row, Sql } from '../../read/row.js';

/** Whether a policy is of a SKU, or of the kind of it (rule 13); the same choice as in policies-at.ts. */
export const isPolicyOf = (sku: Row, policy: Row): Sql<SqlBool> =>
  sql<SqlBool>`(${policy.col('sku')} = ${sku.col('id')} or (${policy.col('sku')} is null and ${policy.col('kind')} = ${sku.col('kind')}))`;

/** Which policy judges: a SKU's own before that of its kind, then the newest. */
export const ownFirst = (policy: Row): Sql[] => [
  sql`${policy.col('sku')} is null`,
  sql`${policy.col('effectiveDate')} desc`,
];

const lastOption = (policy: Row, property: string) =>
  sql`${policy.col('refundOptions')} -> -1 ->> ${sql.lit(property)}`;

/** How a CancellationPolicy is read. */
export const cancellationPolicyRead: ReadType = {
  name: 'CancellationPolicy',
  entity: 'CancellationPolicy',
  fields: {
    ...properties('effectiveDate', 'supportRequestRequired'),
    isCancellable: computed((policy) => sql`${policy.col('refundOptions')} <> '[]'`),
    refundOptions: {
      kind: 'elements',
      from: (policy, as) =>
        sql`jsonb_to_recordset(${policy.col('refundOptions')}) as ${as} ("sequence" int, "type" text, "expiresAfter" text)`,
      orderBy: (option) => [option.col('sequence')],
      fields: properties('sequence', 'type', 'expiresAfter'),
    },
    windowDays: computed(
      (policy) =>
        sql`(select coalesce(substring("after" from '^P([0-9]+)D$')::int, substring("after" from '^PT([0-9]+)H$')::int / 24) from (select ${lastOption(policy, 'expiresAfter')} as "after") as "last")`,
    ),
    refundType: computed(
      (policy) => sql`case ${lastOption(policy, 'type')} when 'FULL' then 'FULL' when 'PARTIAL' then 'PRORATED' end`,
    ),
  },
};
