import { type GraphQLNamedType, type GraphQLSchema, getNamedType, isObjectType } from 'graphql';
import type { AccessRules, RowRule } from '../auth/access-rule.js';
import { AccessTable } from '../auth/access-table.js';
import { type Reach, reachOf } from '../auth/reach.js';
import { Role } from '../auth/role.js';

/** Who asks, as columns of the table: every role, and who sends no token. */
export const NOBODY = 'NOBODY';
export const askers = [...Object.values(Role), NOBODY] as const;
export type Asker = (typeof askers)[number];

/** A coordinate of the graph, and what of it each role may use. */
export interface AccessRow {
  /** `Query.orders`, `Order.total`, or `node(id:) of Order`. */
  coordinate: string;
  /** The rows that the asker reaches, in words; `yes` where it has none of its own, empty where it is refused. */
  rows: Record<Asker, string>;
  /** What is easily taken for a mistake, and why it is none. */
  meant: string;
}

/** What each role may use of the whole graph, field by field, in the order of the names. */
export function accessReport(schema: GraphQLSchema, rules: AccessRules): AccessRow[] {
  const table = new AccessTable(rules);
  const access = Object.fromEntries(
    askers.map((asker) => [asker, table.for(asker === NOBODY ? [] : [asker])]),
  ) as Record<Asker, ReturnType<AccessTable['for']>>;
  const reach = Object.fromEntries(askers.map((asker) => [asker, reachOf(schema, access[asker])])) as Record<
    Asker,
    Reach
  >;
  const row = (coordinate: string, rule: RowRule | undefined, isReached: (asker: Asker) => boolean, meant = '') => ({
    coordinate,
    rows: Object.fromEntries(askers.map((asker) => [asker, isReached(asker) ? wordsOf(rule, asker) : ''])) as Record<
      Asker,
      string
    >,
    meant,
  });
  const objects = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && !type.name.startsWith('__'),
  );
  const fields = objects.flatMap((type) =>
    Object.values(isObjectType(type) ? type.getFields() : {}).map((field) => {
      const coordinate = `${type.name}.${field.name}`;
      const rule = rules[coordinate]?.rows ?? rules[type.name]?.rows ?? rowsBehind(getNamedType(field.type), rules);
      return row(coordinate, rule, (asker) => reach[asker].fields.has(coordinate), rules[coordinate]?.meant);
    }),
  );
  const byId = objects
    .filter((type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node'))
    .map(({ name }) =>
      row(
        `node(id:) of ${name}`,
        rules[name]?.rows,
        (asker) => reach[asker].fields.has('Query.node') && !access[asker].deniesById(name),
        rules[name]?.meant,
      ),
    );
  return [...fields, ...byId].sort((a, b) => (a.coordinate < b.coordinate ? -1 : 1));
}

function wordsOf(rule: RowRule | undefined, asker: Asker): string {
  if (!rule) return 'yes';
  return asker === Role.CUSTOMER_ADMIN ? rule.customer : rule.partner;
}

/** The rule of the rows that a type holds: its own, or that of a page's items. */
function rowsBehind(type: GraphQLNamedType, rules: AccessRules): RowRule | undefined {
  const own = rules[type.name]?.rows;
  if (own || !isObjectType(type)) return own;
  const item = /Connection$/.test(type.name) ? type.getFields()['nodes'] : type.getFields()['node'];
  return item && rowsBehind(getNamedType(item.type), rules);
}
