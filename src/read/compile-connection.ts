import type { FieldNode } from 'graphql';
import { type RawBuilder, sql } from 'kysely';
import { filterConditions, perValueUnionOf } from './compile-filter.js';
import type { CompileScope } from './compile-scope.js';
import type { Listing, ReadType } from './model.js';
import type { Selected } from './operation.js';
import { type PageWindow, pageWindow } from './page-window.js';
import type { Args } from './param.js';
import type { Row, Sql } from './row.js';
import { columnsOf, jsonOf, whereAll } from './sql.js';

/** A list that is compiled. */
export interface ConnectionRequest {
  scope: CompileScope;
  type: ReadType;
  args: Args;
  nodes: readonly FieldNode[];
  /** GraphQL type of the connection. */
  connectionType: string;
  /** Further conditions, such as the parent's. */
  restrict: (row: Row) => Sql[];
  /** The selected fields of a row. */
  select: (row: Row, nodes: readonly FieldNode[]) => Selected[];
}

/**
 * A page of rows as the JSON of its connection type. Only what is selected is computed: one row more than the page
 * tells whether there is a next one, `totalCount` counts in a subquery of its own.
 */
export function compileConnection(request: ConnectionRequest): Sql {
  const { scope, type, args, restrict } = request;
  const { listing } = type;
  if (!listing) throw new Error(`${type.name} has no listing`);
  scope.readsMany = true;
  const window = pageWindow(scope, type, listing, args);
  const isNarrowed = scope.readsOneTenant(type) || restrict(scope.rowAs(type, 'any')).length > 0;
  const filter = args.object('filter');
  const conditions: Conditions = (row, without) => [
    ...restrict(row),
    ...scope.visible(type, row),
    ...filterConditions(listing, row, filter, isNarrowed, without),
  ];
  const union = perValueUnionOf(listing, filter, isNarrowed);
  const read = (stretch: Stretch) => rowsOf({ scope, type, listing, filter, conditions, union }, stretch);
  const inner = scope.row(type);
  const page = new PageSelection(request, window, inner.alias, conditions, read);
  const columns = columnsOf(page.selected());
  if (!page.readsPage) return sql`(select to_json("$row") from (select ${columns}) as "$row")`;
  const rows = read({
    row: inner,
    order: window.order(inner),
    isAscending: window.isAscending,
    bounds: window.bounds(inner),
    limit: sql`${window.size.map((size) => size + 1)}::int`,
  });
  return sql`(select to_json("$row") from (select ${columns} from (${rows}) as ${sql.id(page.row.alias)}) as "$row")`;
}

type Conditions = (row: Row, without?: string) => Sql[];

/** Some rows of a list, in its order or against it. */
interface Stretch {
  row: Row;
  order: Sql;
  isAscending: boolean;
  bounds: Sql[];
  limit: Sql;
}

/** The list that stretches are read of. */
interface ReadList extends Pick<ConnectionRequest, 'scope' | 'type'> {
  listing: Listing;
  filter: Args;
  conditions: Conditions;
  union: ReturnType<typeof perValueUnionOf>;
}

/** The rows of a stretch, each with its place `$i` in it. */
function rowsOf(
  { scope, type, listing, filter, conditions, union }: ReadList,
  { row, order, isAscending, bounds, limit }: Stretch,
): Sql {
  const limited = sql`order by ${order} limit ${limit}`;
  const derived = listing.derivedBounds?.(row, filter, isAscending) ?? [];
  const from = (more: Sql[]) => sql`from ${scope.from(type, row)}${whereAll([...more, ...derived, ...bounds])}`;
  const source = union
    ? sql`from (${union.values}) as "$v" ("value")
        cross join lateral (
          select * ${from([sql`${row.col(union.key)} = "$v"."value"`, ...conditions(row, union.replaces)])} ${limited}
        ) as ${sql.id(row.alias)}`
    : from(conditions(row));
  return sql`select ${sql.id(row.alias)}.*, row_number() over (order by ${order}) as "$i" ${source} ${limited}`;
}

/** What is selected of a connection, as expressions over its page. */
class PageSelection {
  readonly row: Row;
  /** Whether the page is read at all. Without an aggregate it must not be: the answer would have a row for each of its rows. */
  readsPage = false;
  private readonly position: RawBuilder<unknown>;
  private readonly isShown: RawBuilder<unknown>;

  constructor(
    private readonly request: ConnectionRequest,
    private readonly window: PageWindow,
    alias: string,
    private readonly conditions: Conditions,
    private readonly read: (stretch: Stretch) => Sql,
  ) {
    this.row = request.scope.rowAs(request.type, `${alias}p`);
    this.position = sql.ref(`${this.row.alias}.$i`);
    this.isShown = sql`${this.position} <= ${window.size}::int`;
  }

  selected(): Selected[] {
    const { connectionType, nodes, select } = this.request;
    return this.fieldsOf(connectionType, nodes).map(([key, name, fieldNodes]) => {
      const item = (compile: () => Selected[]) => this.aggregate(jsonOf(this.request.scope.within([key, 0], compile)));
      if (name === 'nodes') return { key, value: item(() => select(this.row, fieldNodes)) };
      if (name === 'edges') return { key, value: item(() => this.edge(fieldNodes)) };
      if (name === 'pageInfo') return { key, value: this.pageInfo(fieldNodes) };
      if (name === 'totalCount') return { key, value: this.totalCount() };
      return { key, value: sql`${connectionType}::text` };
    });
  }

  private totalCount(): Sql {
    const { scope, type } = this.request;
    const counted = scope.row(type);
    return sql`(select count(*)::int from ${scope.from(type, counted)}${whereAll(this.conditions(counted))})`;
  }

  private edge(nodes: readonly FieldNode[]): Selected[] {
    const { scope, select } = this.request;
    const edgeType = `${this.request.type.name}Edge`;
    return this.fieldsOf(edgeType, nodes).map(([key, name, fieldNodes]) => {
      if (name === 'cursor') return { key, value: this.window.cursor(this.row) };
      if (name === 'node') return { key, value: jsonOf(scope.within([key], () => select(this.row, fieldNodes))) };
      return { key, value: sql`${edgeType}::text` };
    });
  }

  private pageInfo(nodes: readonly FieldNode[]): Sql {
    const pairs = this.fieldsOf('PageInfo', nodes).map(([key, name]) => sql`${key}::text, ${this.pageInfoField(name)}`);
    // Aggregates belong to the statement around them: a subselect as jsonOf makes one may not hold them.
    return sql`json_build_object(${sql.join(pairs)})`;
  }

  private pageInfoField(name: string): Sql {
    const { isBackward } = this.window;
    switch (name) {
      case 'hasNextPage':
        return this.goesOn('before', !isBackward);
      case 'hasPreviousPage':
        return this.goesOn('after', isBackward);
      case 'startCursor':
        return this.cursorAt(isBackward ? sql`desc` : sql`asc`);
      case 'endCursor':
        return this.cursorAt(isBackward ? sql`asc` : sql`desc`);
      default:
        return sql`'PageInfo'::text`;
    }
  }

  /**
   * Whether items lie beyond one end of the page. Where the page was read towards it, the one row more tells. Where a
   * cursor bounds the page there, the list is asked: what the cursor was of may be gone, or not pass the filter.
   */
  private goesOn(bound: 'after' | 'before', isReadTowards: boolean): Sql {
    const { size } = this.window;
    const isFuller = () => this.ofPage(sql`coalesce(bool_or(${this.position} > ${size}::int), false)`);
    const row = this.request.scope.row(this.request.type);
    const rest = this.window.beyond(row, bound);
    if (!rest) return isReadTowards ? isFuller() : sql`false`;
    const hasRest = sql`exists (${this.read({ row, ...rest, limit: sql`1` })})`;
    return isReadTowards ? sql`(${isFuller()} or ${hasRest})` : hasRest;
  }

  private cursorAt(order: Sql): Sql {
    const cursor = this.window.cursor(this.row);
    return this.ofPage(
      sql`(array_agg(${cursor} order by ${this.position} ${order}) filter (where ${this.isShown}))[1]`,
    );
  }

  private aggregate(json: Sql): Sql {
    const order = this.window.isBackward ? sql`desc` : sql`asc`;
    return this.ofPage(
      sql`coalesce(json_agg(${json} order by ${this.position} ${order}) filter (where ${this.isShown}), '[]')`,
    );
  }

  private ofPage(value: Sql): Sql {
    this.readsPage = true;
    return value;
  }

  /** Selected fields as response key, name and nodes. */
  private fieldsOf(typeName: string, nodes: readonly FieldNode[]): [string, string, readonly FieldNode[]][] {
    return [...this.request.scope.subFields(typeName, nodes)].map(([key, fieldNodes]) => [
      key,
      (fieldNodes[0] as FieldNode).name.value,
      fieldNodes,
    ]);
  }
}
