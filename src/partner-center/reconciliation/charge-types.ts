import { microsoftChargeTypes } from '../../domain/charge-type.js';

/** What older files, and the API, call the same. */
const OLDER: Readonly<Record<string, string>> = {
  purchase: microsoftChargeTypes.NEW,
  refund: microsoftChargeTypes.CANCEL_IMMEDIATE,
  cancel: microsoftChargeTypes.CANCEL_IMMEDIATE,
};

const byKey = new Map<string, string>([
  ...Object.values(microsoftChargeTypes).map((type): [string, string] => [type.toLowerCase(), type]),
  ...Object.entries(OLDER),
]);

/** The charge type in Microsoft's spelling of today; null for one that is not known. */
export const chargeTypeOf = (written: string): string | null =>
  byKey.get(written.toLowerCase().replace(/[\s_-]/g, '')) ?? null;
