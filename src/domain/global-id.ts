/** Prefix of a type's global ids. Opaque to clients; the prefix tells ids of different types apart. */
export const idPrefixes = {
  Customer: 'cus',
  Product: 'prd',
  Sku: 'sku',
  Order: 'ord',
  Entitlement: 'ent',
  Cancellation: 'can',
  Invoice: 'inv',
  SupportRequest: 'sup',
  ActivityEntry: 'act',
} as const;
/** A type that implements Node. */
export type NodeType = keyof typeof idPrefixes;

const typeByPrefix = new Map(Object.entries(idPrefixes).map(([type, prefix]) => [prefix as string, type as NodeType]));
const GLOBAL_ID = /^([a-z]{3})_([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

/** The global id of a row. */
export function toGlobalId(type: NodeType, id: string): string {
  return `${idPrefixes[type]}_${id}`;
}

/** Type and row of a global id; null when it is none of ours. */
export function parseGlobalId(globalId: string): { type: NodeType; id: string } | null {
  const [, prefix = '', id = ''] = GLOBAL_ID.exec(globalId) ?? [];
  const type = typeByPrefix.get(prefix);
  return type ? { type, id } : null;
}
