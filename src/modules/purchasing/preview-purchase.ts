import type { UnitOfWork } from '../../context/transaction.js';
import { isProblem, type Problem } from '../../domain/problem.js';
import { type AskedPurchase, type PricedPurchase, pricePurchase } from './price-purchase.js';
import { purchaseAccess } from './purchase.access.js';

/** What `purchase` would charge now, or its problem. */
export interface Preview {
  priced: PricedPurchase | null;
  problem: Problem | null;
  pricedAt: Date;
}

/** Prices a purchase and writes nothing (rules 1 to 4). The problem is one of `pricePurchase`. */
export async function previewPurchase(unit: UnitOfWork, asked: AskedPurchase): Promise<Preview> {
  const priced = await pricePurchase(unit, asked, purchaseAccess['Query.purchasePreview']);
  return isProblem(priced)
    ? { priced: null, problem: priced, pricedAt: unit.now }
    : { priced, problem: null, pricedAt: unit.now };
}
