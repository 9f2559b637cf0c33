/**
 * Triggers that refuse UPDATE and DELETE to everybody, the owner too, as those of the log do. TRUNCATE has a trigger of its
 * own in the migration: the ORM cannot see that kind when it looks for drift.
 */
export function appendOnly(table: string) {
  return {
    name: `${table}_append_only`,
    timing: 'before' as const,
    events: ['update' as const, 'delete' as const],
    forEach: 'statement' as const,
    body: `raise exception '${table} is append-only (rule 16)' using errcode = 'insufficient_privilege'; return null`,
  };
}
