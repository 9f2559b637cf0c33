/** What a line of a reconciliation file is for, in Microsoft's words. */
export const CHARGE_TYPES = [
  'new',
  'renew',
  'cycleCharge',
  'addQuantity',
  'removeQuantity',
  'moveQuantity',
  'cancelImmediate',
  'convert',
  'changeBillingPlan',
  'customerCredit',
  'extendTerm',
] as const;

/** What older files, and the API, call the same. */
const OLDER: Readonly<Record<string, (typeof CHARGE_TYPES)[number]>> = {
  purchase: 'new',
  refund: 'cancelImmediate',
  cancel: 'cancelImmediate',
};

const byKey = new Map<string, string>([
  ...CHARGE_TYPES.map((type) => [type.toLowerCase(), type]),
  ...Object.entries(OLDER),
] as [string, string][]);

/** The charge type in today's spelling; null for one that is not known. */
export const chargeTypeOf = (written: string): string | null =>
  byKey.get(written.toLowerCase().replace(/[\s_-]/g, '')) ?? null;
