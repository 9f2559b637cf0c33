// Rows in any number, made by SQL: tables of the size of years, for plans and timings. What they say is no story that
// the gateway's rules would tell (`npm run demo` tells those); sizes, spreads and references are right.
// Used by `npm run scale` and by test/read/indexes.test.ts.

/**
 * Fills a migrated database that has facts and nothing else. `run` runs one statement; one that is a superuser's may
 * skip the checks of references.
 * @param size { customers, orders, activity }; every order has one or two lines
 */
export async function fillByNumbers(run, size, say = () => undefined) {
  const { customers, orders, activity } = size;
  const id = (what, n) => `md5('${what}' || ${n})::uuid`;
  // Rows of two years, the newest last; a customer of a low number orders more.
  const at = (n, of) => `timestamptz '2026-11-01' - interval '730 days' * (1 - (${n})::float8 / ${of})`;
  const who = (n) => `(1 + floor(${customers} * power(((${n})::bigint * 7919 % 10007) / 10007.0, 2)))::int`;
  await run(`create unlogged table scale_skus as select row_number() over (order by s.id)::int - 1 as slot, s.id, s.kind, s.term_duration, p.product_id
    from skus s join products p on p.id = s.product_id`);
  await run(
    `create unlogged table scale_markets as select row_number() over (order by code)::int - 1 as slot, code, currencies[1] as currency from markets`,
  );

  await run('analyze scale_skus, scale_markets');

  say('customers');
  await run(`insert into customers (id, tenant_id, domain, company_name, market_code, segment, contact_first_name, contact_last_name, contact_email, created_at)
    select ${id('customer', 'n')}, ${id('tenant', 'n')}, 'company' || n || '.example', 'Company ' || lpad(((n::bigint * 7919) % ${customers * 10})::text, 9, '0'), m.code,
      case when n % 50 = 0 then 'EDUCATION' when n % 997 = 0 then 'CHARITY' else 'COMMERCIAL' end, 'Pat', 'Doe', 'pat@company' || n || '.example', ${at('n', customers)}
    from generate_series(1, ${customers}) n join scale_markets m on m.slot = (case when n % 3 = 0 then 0 else n end) % (select count(*)::int from scale_markets)`);
  say('orders');
  await run(`insert into orders (id, number, customer_id, market_code, status, currency, total, tax_included, placed_at, placed_by, correlation_id)
    select ${id('order', 'o.n')}, lpad(to_hex(o.n), 12, '0'), ${id('customer', 'o.who')}, m.code, case when o.n % 20 = 0 then 'CANCELLED' when o.n % 9973 = 0 then 'PENDING' else 'COMPLETED' end,
      m.currency, 100, false, ${at('o.n', orders)}, case when o.n % 4001 = 0 then 'seldom@partner.example' else 'agent' || o.n % 20 || '@partner.example' end, ${id('cause', 'o.n')}
    from (select n, ${who('n')} as who from generate_series(1, ${orders}) n) o join scale_markets m on m.slot = (case when who % 3 = 0 then 0 else who end) % (select count(*)::int from scale_markets)`);
  await run(`insert into order_lines (id, order_id, line_number, sku_id, quantity, unit_price, total, status, term_start, term_end)
    select ${id("line' || line || '", 'n')}, ${id('order', 'n')}, line, s.id, 1 + n % 9, 10.00, 10.00 * (1 + n % 9), case when n % 20 = 0 then 'CANCELLED' else 'ACTIVE' end, null, null
    from generate_series(1, ${orders}) n cross join generate_series(0, 1) line join scale_skus s on s.slot = floor((select count(*) from scale_skus) * power(((n * 31 + line * 17) % 1009) / 1009.0, 3))::int
    where line = 0 or n % 2 = 0`);
  say('entitlements');
  await run(`insert into entitlements (id, order_line_id, customer_id, sku_id, quantity, status, granted_at, expires_at, revoked_at)
    select md5(l.id::text)::uuid, l.id, o.customer_id, l.sku_id, l.quantity, case when l.status = 'CANCELLED' then 'REVOKED' else 'ACTIVE' end, o.placed_at,
      case when s.term_duration is not null then o.placed_at + interval '1 year' end, case when l.status = 'CANCELLED' then o.placed_at + interval '1 day' end
    from order_lines l join orders o on o.id = l.order_id join scale_skus s on s.id = l.sku_id`);
  await run(`insert into cancellations (id, order_id, customer_id, status, credit, currency, requested_at, requested_by, requested_by_role, confirmed_at, correlation_id)
    select md5('cancelled' || id)::uuid, id, customer_id, 'CONFIRMED', 10, currency, placed_at, placed_by, 'ADMIN_AGENT', placed_at, correlation_id from orders where status = 'CANCELLED'`);
  await run(`insert into cancellation_lines (id, cancellation_id, order_line_id, refund_type, unit_credit, quantity, credit, standing)
    select md5('cancelled' || l.id)::uuid, md5('cancelled' || l.order_id)::uuid, l.id, 'FULL', l.unit_price, l.quantity, l.total, true from order_lines l where l.status = 'CANCELLED'`);
  say('invoices');
  await run(`insert into invoices (id, number, issued_at, customer_id, currency, period_start, period_end)
    select md5('invoice' || customer_id || month)::uuid, case when month < '2026-11-01' then 'INV-' || lpad((row_number() over (order by month, customer_id))::text, 9, '0') end, case when month < '2026-11-01' then month + interval '1 month' end, customer_id, currency, month, (month + interval '1 month - 1 day')::date
    from (select distinct customer_id, currency, date_trunc('month', placed_at at time zone 'UTC')::date as month from orders) i`);
  await run(`insert into invoice_lines (id, invoice_id, kind, charge_type, order_id, product_id, order_line_id, description, quantity, unit_amount, amount, booked_at)
    select md5('charge' || l.id)::uuid, md5('invoice' || o.customer_id || date_trunc('month', o.placed_at at time zone 'UTC')::date)::uuid, 'CHARGE', 'NEW', o.id, s.product_id, l.id, 'Charge', l.quantity, l.unit_price, l.total, o.placed_at
    from order_lines l join orders o on o.id = l.order_id join skus s on s.id = l.sku_id`);
  await run(`insert into reconciliations (id, sha256, file_name, format, columns, kind, month, currency, row_count, refused_row_count, total, tolerance, imported_at, imported_by, compared_at)
    select md5('file' || currency || period_start)::uuid, md5(currency || period_start) || md5(currency || period_start), 'file.csv', 'CSV', '[]', 'BILLED', period_start, currency, 1, 0, 1, 0, period_end, 'agent', period_end
    from (select distinct currency, period_start, period_end from invoices) i`);
  await run(`insert into reconciliation_lines (id, reconciliation_id, verdict, line, invoice_line_id, matched_by, customer_id, customer_tenant_id, customer_name, month, our_month, charge_type, currency, their_amount, our_amount)
    select md5('reconciled' || l.id)::uuid, md5('file' || i.currency || i.period_start)::uuid, case when missing then 'MISSING_THERE' else 'EQUAL' end, case when missing then null else 1 end, l.id,
      case when missing then null else 'ORDER' end, i.customer_id, i.customer_id, 'Company', i.period_start, i.period_start, 'new', i.currency, case when missing then null else l.amount end, l.amount
    from invoice_lines l join invoices i on i.id = l.invoice_id cross join lateral (select md5(l.id::text) < '05' as missing) m`);
  await run(
    `insert into month_closings (month) select distinct period_start from invoices where issued_at is not null`,
  );
  await run(`insert into support_requests (id, number, customer_id, order_id, topic, impact, title, description, contact_name, contact_email, contact_phone, status, submitted_at, submitted_by)
    select ${id('support', 'n')}, lpad(n::text, 15, '0'), o.customer_id, o.id, case when n % 3 = 0 then 'CSP Purchase/Refund on behalf of customers' else 'Topic ' || n % 7 end, 'MINIMAL', 'Help', 'Help', 'Pat', 'pat@example.com', '1',
      case when n % 100 = 0 then 'OPEN' else 'CLOSED' end, o.placed_at, o.placed_by
    from generate_series(1, ${Math.ceil(orders / 10)}) n join orders o on o.id = ${id('order', 'n * 10')}`);

  say('activity');
  // Entries bear past transactions of this server; the last orders' entries lie in the newest ones.
  await run(`insert into activity_entries (xid, id, at, action, outcome, actor, actor_role, customer_id, order_id, product_ids, resource_type, resource_id, resource_label, correlation_id, detail)
    select (3 + (x.top - 3) * a.n / ${activity})::text::xid8, ('00000000-0000-7000-8000-' || lpad(to_hex(a.n), 12, '0'))::uuid, ${at('a.n', activity)},
      case when a.n % 9973 = 0 then 'ACCESS_DENIED' when a.n % 101 = 0 then 'CANCELLATION_CONFIRMED' when a.n % 10 = 0 then 'ORDER_PLACED' when a.n % 3 = 0 then 'SOFTWARE_DOWNLOADED' else 'PRODUCT_KEY_REVEALED' end,
      'SUCCEEDED', case when a.n % 4001 = 0 then 'seldom@partner.example' else 'agent' || a.n % 20 || '@partner.example' end, 'ADMIN_AGENT', ${id('customer', 'a.who')}, ${id('order', 'a.of')}, array[s.product_id], 'ORDER', 'ord', 'Order',
      ${id('cause', 'a.of')}, '{"orderNumber": "000000000001", "lineCount": 1, "lineNumbers": [0], "version": "2019", "language": "en-US", "architecture": "x64", "remainingDownloads": 1, "total": "10.00", "credit": "10.00", "currency": "USD", "operation": "x", "reason": "y"}'
    from (select n, 1 + (n - 1) * ${orders} / ${activity} as of, ${who(`(1 + (n - 1) * ${orders} / ${activity})`)} as who from generate_series(1::bigint, ${activity}) n) a
    join scale_skus s on s.slot = floor((select count(*) from scale_skus) * power((a.n * 31 % 1009) / 1009.0, 3))::int
    cross join (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 as top) x order by a.n`);
  await run('drop table scale_skus, scale_markets');
}
