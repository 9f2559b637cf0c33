import { stringify } from 'csv-stringify/sync';
import type { GraphQLSchema } from 'graphql';
import { Role, roleDescriptions } from '../auth/role.js';
import { type AccessRow, type Asker, askers, NOBODY } from './access-report.js';

/** The forms in which the table of access is printed. */
export const accessFormats = ['csv', 'json', 'markdown'] as const;
export type AccessFormat = (typeof accessFormats)[number];

/**
 * The table of access as text.
 * @param asker whose column alone to print, with what it may use; everybody's where it is left out
 */
export function printAccess(report: readonly AccessRow[], format: AccessFormat, asker?: Asker): string {
  const shown = asker ? report.filter(({ rows }) => rows[asker] !== '') : report;
  const columns = asker ? [asker] : askers;
  if (format === 'json') {
    const rows = shown.map((row) => ({ ...row, rows: Object.fromEntries(columns.map((one) => [one, row.rows[one]])) }));
    return `${JSON.stringify(rows, null, 2)}\n`;
  }
  if (format === 'csv') {
    const rows = shown.map(({ coordinate, rows: of, meant }) => ({ coordinate, ...of, meant }));
    return stringify(rows, { header: true, columns: ['coordinate', ...columns, 'meant'] });
  }
  return markdown(shown, columns);
}

const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const table = (columns: readonly string[], rows: readonly string[][]) =>
  [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');

function markdown(report: readonly AccessRow[], columns: readonly Asker[]): string {
  const rows = report.map(({ coordinate, rows: of, meant }) => [
    `\`${coordinate}\``,
    ...columns.map((asker) => of[asker]),
    meant,
  ]);
  return `# Who may use what

Written by \`npm run access -- --write\` out of the tables \`*.access.ts\` of the modules; a change of access is a change of this file. Each field and operation of the graph by each role:

- **every customer**: the rows of all customers of the partner. **own tenant**: those of the tenant that the token is from, and no others. **the caller**: what is about who asks.
- **yes**: it has no rows of its own: it comes with the object that it belongs to, or is the same for all.
- An empty cell: the field is null, and one error of code \`FORBIDDEN\` names its coordinate (\`UNAUTHENTICATED\` without a token); introspection does not show it.
- \`node(id:) of …\`: what \`node\` and \`nodes\` find by an id. \`${NOBODY}\` is who sends no token. Who has several roles may what any of them may.
- \`GET /exports/activity.csv\` and \`.jsonl\` are for who may use \`Query.activity\`, and leave out what the graph refuses.

${table(['field or operation', ...columns, 'as meant'], rows)}
`;
}

/** The table of roles for README: what each may begin with. */
export function printRoles(report: readonly AccessRow[], schema: GraphQLSchema): string {
  const names = (root: string, role: Asker) =>
    report
      .filter(({ coordinate, rows }) => coordinate.startsWith(`${root}.`) && rows[role] !== '' && rows[NOBODY] === '')
      .map(({ coordinate }) => coordinate.slice(root.length + 1))
      .filter((name) => root !== 'Query' || (name !== 'node' && name !== 'nodes'))
      .map((name) => `\`${name}\``)
      .join(', ');
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].map(
    (type) => type?.name ?? '',
  );
  const rows = Object.values(Role).map((role) => [
    `\`${role}\``,
    roleDescriptions[role],
    ...roots.map((root) => names(root, role)),
  ]);
  return table(['role', 'who', 'reads', 'does', 'follows'], rows);
}

/** A document with what stands between the markers of the table of roles put in anew. */
export function withRoles(document: string, roles: string): string {
  const [begin, end] = ['<!-- roles: npm run access -- --write -->', '<!-- /roles -->'];
  const [before, rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`The document has no markers ${begin} and ${end}`);
  return `${before}${begin}\n\n${roles}\n\n${end}${after}`;
}
