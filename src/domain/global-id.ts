/** Prefix of a type's global ids. Opaque to clients; the prefix tells ids of different types apart. */
export const idPrefixes = {
  Customer: 'cus',
  Market: 'mkt',
  Product: 'prd',
  Sku: 'sku',
  SoftwareVersion: 'ver',
  Price: 'prc',
  Order: 'ord',
  OrderLine: 'orl',
  Entitlement: 'ent',
  Cancellation: 'can',
  CancellationLine: 'cal',
  Invoice: 'inv',
  InvoiceLine: 'inl',
  SupportRequest: 'sup',
  SupportFile: 'fil',
  ActivityEntry: 'act',
  Session: 'ses',
  Job: 'job',
  Reconciliation: 'rec',
  ReconciliationLine: 'rcl',
} as const;
/** A type that implements Node. */
export type NodeType = keyof typeof idPrefixes;

const typeByPrefix = new Map(Object.entries(idPrefixes).map(([type, prefix]) => [prefix as string, type as NodeType]));

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const isUuid = new RegExp(`^${UUID}$`);
/** Keys of rows that go by something else than a UUID; parts are joined by `_`, of which only the last may hold one. */
const otherKeys: Partial<Record<NodeType, RegExp>> = {
  Market: /^[A-Z]{2}$/,
  // The SKU, then the version as people name it: 2019.
  SoftwareVersion: new RegExp(`^${UUID}_[^\\x00-\\x1f\\x7f]{1,100}$`),
};

/** The global id of a row. */
export function toGlobalId(type: NodeType, id: string): string {
  return `${idPrefixes[type]}_${id}`;
}

/** Type and key of the row of a global id; null when it is none of ours. */
export function parseGlobalId(globalId: string): { type: NodeType; id: string } | null {
  const type = globalId[3] === '_' ? typeByPrefix.get(globalId.slice(0, 3)) : undefined;
  const id = globalId.slice(4);
  return type && (otherKeys[type] ?? isUuid).test(id) ? { type, id } : null;
}

/** A pattern, as PostgreSQL reads it, of the global ids of types that go by a UUID. */
export function patternOf(types: readonly NodeType[]): string {
  return `^(${types.map((type) => idPrefixes[type]).join('|')})_${UUID}$`;
}
