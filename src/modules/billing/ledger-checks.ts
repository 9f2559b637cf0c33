/** One thing that must hold of the ledger, and the first row of which it does not. */
export interface LedgerCheck {
  /** What holds, in words. */
  holds: string;
  /** Answers at most one row: what it is called, what it should say, and what it says. */
  firstFault: string;
}

const ofOrder = `(select "o"."number" from "orders" "o" where "o"."id" = "l"."order_id")`;

/** All that must hold, the smallest parts first: who reads of a fault finds its cause and not what follows from it. */
export const ledgerChecks: readonly LedgerCheck[] = [
  {
    holds: 'the entries of each line add up to zero, and what the customer owes to the line',
    firstFault: `select 'line ' || "l"."id" || ' of order ' || ${ofOrder} as "row",
        'entries that add up to 0, ' || "l"."amount" || ' of them receivable, of customer ' || "i"."customer_id" || ' in ' || "i"."currency" as "expected",
        count("e".*) || ' entries that add up to ' || coalesce(sum("e"."amount"), 0) || ', ' || coalesce(sum("e"."amount") filter (where "e"."account" = 'ACCOUNTS_RECEIVABLE'), 0)
          || ' of them receivable' || coalesce(', of customer ' || min("e"."customer_id"::text) || ' in ' || min("e"."currency"), '') as "found"
      from "invoice_lines" "l" join "invoices" "i" on "i"."id" = "l"."invoice_id" left join "ledger_entries" "e" on "e"."invoice_line_id" = "l"."id"
      group by "l"."id", "i"."id"
      having coalesce(sum("e"."amount"), 1) <> 0
        or sum("e"."amount") filter (where "e"."account" = 'ACCOUNTS_RECEIVABLE') is distinct from "l"."amount"
        or bool_or("e"."customer_id" <> "i"."customer_id" or "e"."currency" <> "i"."currency")
      order by "l"."booked_at", "l"."id" limit 1`,
  },
  {
    holds: 'each line adds up, and is about the customer, currency, order and product of its order line',
    firstFault: `select 'line ' || "l"."id" || ' of order ' || "o"."number" as "row",
        'customer ' || "o"."customer_id" || ', ' || "o"."currency" || ', order ' || "o"."id" || ', product ' || "s"."product_id" || ', ' || case "l"."kind" when 'CHARGE' then '' else '-' end || "l"."unit_amount" * "l"."quantity" as "expected",
        'customer ' || "i"."customer_id" || ', ' || "i"."currency" || ', order ' || "l"."order_id" || ', product ' || "l"."product_id" || ', ' || "l"."amount" as "found"
      from "invoice_lines" "l" join "invoices" "i" on "i"."id" = "l"."invoice_id" join "order_lines" "ol" on "ol"."id" = "l"."order_line_id"
        join "orders" "o" on "o"."id" = "ol"."order_id" join "skus" "s" on "s"."id" = "ol"."sku_id"
      where "i"."customer_id" <> "o"."customer_id" or "i"."currency" <> "o"."currency" or "l"."order_id" <> "o"."id" or "l"."product_id" <> "s"."product_id"
        or "l"."amount" <> "l"."unit_amount" * "l"."quantity" * case "l"."kind" when 'CHARGE' then 1 else -1 end
      order by "l"."booked_at", "l"."id" limit 1`,
  },
  {
    holds: 'the lines of each order add up to it',
    firstFault: `select 'order ' || "o"."number" as "row", "o"."total" || ' ' || "o"."currency" as "expected",
        coalesce(sum("ol"."total"), 0) || ' over ' || count("ol".*) || ' lines' as "found"
      from "orders" "o" left join "order_lines" "ol" on "ol"."order_id" = "o"."id"
      group by "o"."id" having coalesce(sum("ol"."total"), 0) <> "o"."total" order by "o"."placed_at", "o"."id" limit 1`,
  },
  {
    // What is mirrored from an upstream is charged by nobody here: what it costs is on Microsoft's invoices.
    // What was taken over from Microsoft in the middle of a term has charges of its months alone, and none of its sale.
    holds: 'each line of an order is charged once it is sold, by what it costs, and not before',
    firstFault: `select 'line ' || "ol"."line_number" || ' of order ' || "o"."number" as "row",
        case when "ol"."status" in ('PENDING', 'REFUSED') then 'no line of an invoice' else 'a charge of ' || "ol"."total" end as "expected",
        count("l".*) || ' lines of invoices, charges of the sale ' || coalesce(sum("l"."amount") filter (where "l"."charge_type" = 'NEW'), 0) as "found"
      from "order_lines" "ol" join "orders" "o" on "o"."id" = "ol"."order_id" left join "invoice_lines" "l" on "l"."order_line_id" = "ol"."id"
      where not exists (select from "upstream_lines" "u" where "u"."order_line_id" = "ol"."id" and "u"."is_mirrored")
      group by "ol"."id", "o"."id"
      having case when "ol"."status" in ('PENDING', 'REFUSED') then count("l".*) > 0
        else count("l".*) = 0 or sum("l"."amount") filter (where "l"."charge_type" = 'NEW') <> "ol"."total" end
      order by "o"."placed_at", "o"."id", "ol"."line_number" limit 1`,
  },
  {
    holds: 'the lines of each cancellation add up to it',
    firstFault: `select 'cancellation ' || "c"."id" || ' of order ' || (select "number" from "orders" where "orders"."id" = "c"."order_id") as "row",
        "c"."credit" || ' ' || "c"."currency" as "expected", coalesce(sum("cl"."credit"), 0) || ' over ' || count("cl".*) || ' lines' as "found"
      from "cancellations" "c" left join "cancellation_lines" "cl" on "cl"."cancellation_id" = "c"."id"
      group by "c"."id" having coalesce(sum("cl"."credit"), 0) <> "c"."credit" order by "c"."requested_at", "c"."id" limit 1`,
  },
  {
    holds: 'each line of a cancellation is credited once it is confirmed, and not before',
    firstFault: `select 'line ' || "ol"."line_number" || ' of order ' || "o"."number" || ' in cancellation ' || "c"."id" as "row",
        case "c"."status" when 'CONFIRMED' then 'a credit of ' || "cl"."credit" else 'no credit' end as "expected",
        coalesce('a credit of ' || -"l"."amount", 'no credit') as "found"
      from "cancellation_lines" "cl" join "cancellations" "c" on "c"."id" = "cl"."cancellation_id" join "order_lines" "ol" on "ol"."id" = "cl"."order_line_id"
        join "orders" "o" on "o"."id" = "ol"."order_id" left join "invoice_lines" "l" on "l"."cancellation_line_id" = "cl"."id"
      where case "c"."status" when 'CONFIRMED' then "l"."amount" is distinct from -"cl"."credit" or "l"."order_line_id" <> "cl"."order_line_id" else "l"."id" is not null end
      order by "c"."requested_at", "c"."id", "ol"."line_number" limit 1`,
  },
  {
    holds: 'nothing that was charged is given back twice',
    firstFault: `select 'line ' || "ol"."line_number" || ' of order ' || "o"."number" as "row", 'at most ' || sum("l"."amount") filter (where "l"."kind" = 'CHARGE') || ' given back' as "expected",
        -sum("l"."amount") filter (where "l"."kind" = 'CREDIT') || ' given back' as "found"
      from "invoice_lines" "l" join "order_lines" "ol" on "ol"."id" = "l"."order_line_id" join "orders" "o" on "o"."id" = "ol"."order_id"
      group by "ol"."id", "o"."id" having sum("l"."amount") < 0 and bool_or("l"."charge_type" = 'NEW')
      order by "o"."placed_at", "o"."id", "ol"."line_number" limit 1`,
  },
  {
    holds: 'the numbers of each series begin at 1, have no gaps, and end where the series is',
    firstFault: `select 'number ' || "n" || ' of the series ' || "series" as "row", 'one document' as "expected", "found" || ' documents' as "found"
      from (select "s"."document_type" as "series", "n", count("i"."id") as "found" from "invoice_series" "s"
        cross join lateral generate_series(1, greatest("s"."last_number", (select count(*) from "invoices" where "document_type" = "s"."document_type" and "number" ~ '-'))) "n"
        left join "invoices" "i" on "i"."number" = case "s"."document_type" when 'INVOICE' then 'INV-' else 'CN-' end || lpad("n"::text, greatest(9, length("n"::text)), '0')
        group by 1, 2) "counted" where "found" <> 1 or "n" > (select "last_number" from "invoice_series" where "document_type" = "series")
      order by "series", "n" limit 1`,
  },
  {
    holds:
      'what is issued is of a closed month, and a credit note about an issued invoice of the same customer and currency',
    firstFault: `select 'document ' || coalesce("i"."number", "i"."id"::text) as "row",
        case when "i"."issued_at" is not null and "c"."month" is null then 'open, as its month is' else 'about a closed invoice of customer ' || "i"."customer_id" || ' in ' || "i"."currency" end as "expected",
        case when "i"."issued_at" is not null and "c"."month" is null then 'issued at ' || "i"."issued_at" else 'about ' || "a"."document_type" || ' ' || coalesce("a"."number", 'without a number') || ' of customer ' || "a"."customer_id" || ' in ' || "a"."currency" end as "found"
      from "invoices" "i" left join "month_closings" "c" on "c"."month" = "i"."period_start"
        left join "invoices" "a" on "a"."id" = "i"."amends_of_id" left join "month_closings" "ac" on "ac"."month" = "a"."period_start"
      where ("i"."issued_at" is not null and "c"."month" is null)
        or ("a"."id" is not null and ("ac"."month" is null or "a"."document_type" <> 'INVOICE' or "a"."customer_id" <> "i"."customer_id" or "a"."currency" <> "i"."currency"))
      order by "i"."period_start", "i"."id" limit 1`,
  },
];
