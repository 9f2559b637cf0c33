import { basename } from 'node:path';
import {
  importReconciliation,
  type ReconciliationOptions,
  type RowRefusal,
} from '../../src/modules/reconciling/import-reconciliation.js';
import type { JudgedLine } from '../../src/modules/reconciling/judge-lines.js';
import type { TestGateway } from './gateway.js';
import { monthAt, type StatementRow, statementRow } from './reconciliation-files.js';
import { buy, skus, type TestCustomer } from './shop.js';

/** Who imports. */
const operator = { identity: null, userPrincipalName: 'op@machine', role: 'OPERATOR', application: 'test' };

/** Imports a file of this month, unless said otherwise, and answers what came of it. */
export async function importing(gateway: TestGateway, path: string, options: Partial<ReconciliationOptions> = {}) {
  const refusals: RowRefusal[] = [];
  const lines: JudgedLine[] = [];
  const found = await importReconciliation(gateway.gateway.services.orm, path, basename(path), {
    actor: operator,
    now: new Date(),
    tolerance: '0',
    month: monthAt(0),
    onRefusal: (refusal) => refusals.push(refusal),
    onJudged: (judged) => lines.push(...judged),
    ...options,
  });
  return { found, refusals, lines };
}

/** A purchase of a customer, and its line as Microsoft would write it. */
export async function sold(gateway: TestGateway, customer: TestCustomer, quantity: number, row: StatementRow = {}) {
  const order = await buy(gateway, customer, [{ ...skus.perpetual, quantity }]);
  const { productId, skuId } = skus.perpetual;
  const line = statementRow({
    CustomerId: customer.tenantId.toUpperCase(),
    OrderId: `Z1bXNpTk9wYVlEdz09,${order.number}`,
    ProductId: productId,
    SkuId: skuId,
    UnitPrice: '13748',
    Quantity: String(quantity),
    ...row,
  });
  return { order, line };
}
