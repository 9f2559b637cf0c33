import { type RawBuilder, sql } from 'kysely';

type Sql = RawBuilder<unknown>;

/*
 * `at` is not the order of the log: a page of an old week would read every entry between it and the log's end. So the
 * position where a page begins is looked up: the first (or last) one that the days of the range have, each of which
 * activity_entries_day_idx tells at once. No assumption is made about how far `at` and commit order lie apart.
 */

/** The UTC day of an instant, as activity_entries_day_idx has it. */
export const dayOf = (instant: Sql): Sql => sql`(${instant} at time zone 'UTC')::date`;

/** The days of a span, as a relation of dates; without a bound, or beyond the log's ends, cut to the days that there are. */
export function daysOfSpan(from: Sql | null, to: Sql | null): Sql {
  const first = from ? sql`greatest(${from}, ${outermostDay(sql`asc`)})` : outermostDay(sql`asc`);
  const last = to ? sql`least(${to}, ${outermostDay(sql`desc`)})` : outermostDay(sql`desc`);
  return daysBetween(first, last);
}

/** The days from the first to the last, as a relation of dates. */
export function daysBetween(first: Sql, last: Sql): Sql {
  return sql`(select "range"."first" + "day"."of" from (select ${first} as "first", ${last} as "last") as "range"
    cross join lateral generate_series(0, "range"."last" - "range"."first") as "day" ("of"))`;
}

/** The first (`asc`) or last (`desc`) position that entries of these days have, as a row of xid and seq. */
export function edgeOf(days: Sql, way: Sql): Sql {
  return sql`(select "edge"."xid", "edge"."seq" from ${days} as "day" ("date")
    cross join lateral (
      select "d"."xid", "d"."seq" from "activity_entries" "d" where ${dayOf(sql`"d"."at"`)} = "day"."date"
      order by "d"."xid" ${way}, "d"."seq" ${way} limit 1
    ) "edge"
    order by "edge"."xid" ${way}, "edge"."seq" ${way} limit 1)`;
}

function outermostDay(way: Sql): Sql {
  return sql`(select ${dayOf(sql`"at"`)} from "activity_entries" order by ${dayOf(sql`"at"`)} ${way} limit 1)`;
}
