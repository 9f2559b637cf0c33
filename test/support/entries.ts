/** SQL that writes entries of the log by itself, past the use cases; `?` is how many. Labels are 1, 2, 3 … */
export const insertEntries = `insert into activity_entries
    (id, action, outcome, actor, actor_role, resource_type, resource_id, resource_label, correlation_id, detail)
  select gen_random_uuid(), 'PRODUCT_KEY_REVEALED', 'SUCCEEDED', 'anna@partner.example', 'ADMIN_AGENT', 'ENTITLEMENT', 'ent',
    n::text, gen_random_uuid(), '{"version": "2022"}'
  from generate_series(1, ?::int) as n`;
