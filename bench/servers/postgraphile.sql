-- What a user of PostGraphile adds to these tables: the log names its customer without a foreign key, pages of the log
-- run in the order of commit (xid has no ordering enum), an expired entitlement is no stored state, and instants have
-- milliseconds. Plain SQL functions, so that PostgreSQL inlines them.
comment on table activity_entries is e'@foreignKey (customer_id) references customers (id)';

create function activity_page("action" text, "from" timestamptz, "to" timestamptz) returns setof activity_entries
language sql stable as $$
  select a.* from activity_entries a
  where a.action = activity_page."action" and a.at >= activity_page."from" and a.at < activity_page."to"
  order by a.xid desc, a.seq desc
$$;

create function entitlements_current_status(entitlement entitlements) returns text
language sql stable as $$
  select case when entitlement.status = 'ACTIVE' and entitlement.expires_at <= now() then 'EXPIRED' else entitlement.status end
$$;
