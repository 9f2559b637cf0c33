-- Copies of all rows that the three shapes read, $COPIES of them, each with keys of its own; spread evenly over time and
-- names, as more customers would be. The generator tells whole stories and needs half an hour or more for a million orders.
set synchronous_commit = off;
-- The copies refer to each other as the originals do: checking that again would double the time.
do $$ begin
  set session_replication_role = replica;
exception when insufficient_privilege then
  null;
end $$;

create function pg_temp.copy_of(id uuid, copy int) returns uuid language sql immutable as $$
  select md5(id::text || ':' || copy)::uuid
$$;

-- Indexes are built once, at the end.
create temp table set_aside as
select indexdef from pg_indexes i
where schemaname = 'public' and tablename in ('customers', 'orders', 'order_lines', 'entitlements', 'activity_entries')
  and not exists (select from pg_constraint c where c.conname = i.indexname);
do $$ declare index_name text; begin
  for index_name in
    select indexname from pg_indexes i join set_aside using (indexdef)
  loop
    execute format('drop index %I', index_name);
  end loop;
end $$;

insert into customers (id, tenant_id, domain, company_name, market_code, segment, contact_first_name, contact_last_name, contact_email, contact_phone, created_at)
select pg_temp.copy_of(id, copy), pg_temp.copy_of(tenant_id, copy), 'copy' || copy || '.' || domain, company_name || ' ' || copy, market_code, segment, contact_first_name, contact_last_name, contact_email, contact_phone, created_at
from customers, generate_series(1, $COPIES) copy;

insert into orders (id, number, customer_id, market_code, status, currency, total, tax_included, placed_at, placed_by, correlation_id)
select pg_temp.copy_of(id, copy), left(md5(number || ':' || copy), 12), pg_temp.copy_of(customer_id, copy), market_code, status, currency, total, tax_included, placed_at, placed_by, pg_temp.copy_of(correlation_id, copy)
from orders, generate_series(1, $COPIES) copy;

insert into order_lines (id, order_id, line_number, sku_id, quantity, unit_price, total, status, refund_options, cancellable_until, support_request_required, term_start, term_end)
select pg_temp.copy_of(id, copy), pg_temp.copy_of(order_id, copy), line_number, sku_id, quantity, unit_price, total, status, refund_options, cancellable_until, support_request_required, term_start, term_end
from order_lines, generate_series(1, $COPIES) copy;

insert into entitlements (id, order_line_id, customer_id, sku_id, quantity, status, granted_at, expires_at, revoked_at)
select pg_temp.copy_of(id, copy), pg_temp.copy_of(order_line_id, copy), pg_temp.copy_of(customer_id, copy), sku_id, quantity, status, granted_at, expires_at, revoked_at
from entitlements, generate_series(1, $COPIES) copy;

-- In the originals' order and transaction, so that no other transaction of the cluster keeps them from readers.
insert into activity_entries (xid, id, at, action, outcome, actor, actor_role, application, customer_id, order_id, product_ids, resource_type, resource_id, resource_label, correlation_id, detail)
select xid, pg_temp.copy_of(id, copy), at, action, outcome, actor, actor_role, application, pg_temp.copy_of(customer_id, copy), pg_temp.copy_of(order_id, copy), product_ids, resource_type, resource_id, resource_label, pg_temp.copy_of(correlation_id, copy), detail
from activity_entries, generate_series(1, $COPIES) copy
order by seq;

set maintenance_work_mem = '256MB';
do $$ declare definition text; begin
  for definition in select indexdef from set_aside loop
    execute definition;
  end loop;
end $$;
