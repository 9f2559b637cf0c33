import type { ExportedEntry } from '../../activity-log/export-entries.js';
import type { Access } from '../../auth/access-table.js';
import { activityDetails } from './activity-detail.read.js';

/** What of an entry an export tells: as much as the graph does to the same roles. */
export interface ExportRights {
  /** Nothing is left out of any entry. */
  isWhole: boolean;
  /** The entry without what the roles may not read. */
  shown(entry: ExportedEntry): ExportedEntry;
}

/** The rights of a set of roles, out of the table that guards the graph's fields. */
export function exportRights(access: Access): ExportRights {
  const hiddenKeys = new Map<string, string[]>();
  for (const [action, { type, fields }] of Object.entries(activityDetails)) {
    const keys = Object.keys(fields).filter((field) => access.denies(type, field));
    if (keys.length > 0) hiddenKeys.set(action, keys);
  }
  const hidesOrder = access.denies('ActivityEntry', 'order') || access.denies('Order');
  const hidesCustomer = access.denies('ActivityEntry', 'customer') || access.denies('Customer');
  return {
    isWhole: hiddenKeys.size === 0 && !hidesOrder && !hidesCustomer,
    shown: (entry) => {
      const keys = hiddenKeys.get(entry.action);
      return {
        ...entry,
        ...(hidesOrder && { orderId: null }),
        ...(hidesCustomer && { customerId: null, customer: null }),
        ...(keys && { detail: without(entry.detail, keys) }),
      };
    },
  };
}

function without(json: string, keys: readonly string[]): string {
  const detail = JSON.parse(json) as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(Object.entries(detail).filter(([key]) => !keys.includes(key))));
}
