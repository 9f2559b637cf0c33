import { Migration } from '@mikro-orm/migrations';

/**
 * Keys are looked up by their own index, whatever the planner has heard of their table. Where it was filled since its
 * statistics were made, or none has expired, the former function read all of it: with each purchase, every key of 45 days.
 */
export class Migration20261128130000_idempotency_keys_by_index extends Migration {
  override name = 'Migration20261128130000_idempotency_keys_by_index';

  override up(): void | Promise<void> {
    this.addSql(
      takeIdempotencyKey({
        settings: 'set enable_seqscan = off',
        declared: 'declare "ends_at" timestamptz;',
        lookUp: `select "fingerprint", "answer", "expires_at" into "known_fingerprint", "known_answer", "ends_at"
          from "idempotency_keys" where "caller" = "who" and "operation" = "what" and "key" = "name";
        if "ends_at" >= "happens_at" then return; end if;
        "known_fingerprint" := null;
        "known_answer" := null;`,
        someHaveExpired: '(select min("expires_at") from "idempotency_keys") < "happens_at"',
      }),
    );
  }

  override down(): void | Promise<void> {
    this.addSql(
      takeIdempotencyKey({
        settings: '',
        declared: '',
        lookUp: `select "fingerprint", "answer" into "known_fingerprint", "known_answer" from "idempotency_keys"
          where "caller" = "who" and "operation" = "what" and "key" = "name" and "expires_at" >= "happens_at";
        if found then return; end if;`,
        someHaveExpired: 'exists (select from "idempotency_keys" where "expires_at" < "happens_at")',
      }),
    );
  }
}

function takeIdempotencyKey(parts: {
  settings: string;
  declared: string;
  lookUp: string;
  someHaveExpired: string;
}): string {
  return `create or replace function "take_idempotency_key"(
      "who" text, "what" text, "name" text, "happens_at" timestamptz,
      out "is_taken" boolean, out "known_fingerprint" text, out "known_answer" jsonb
    ) language plpgsql volatile ${parts.settings} as $$ ${parts.declared} begin
      "is_taken" := pg_try_advisory_xact_lock(hashtextextended(json_build_array("who", "what", "name")::text, 0));
      if not "is_taken" then return; end if;
      ${parts.lookUp}
      if ${parts.someHaveExpired} then
        delete from "idempotency_keys" where "caller" = "who" and "operation" = "what" and "key" = "name";
        delete from "idempotency_keys" where ctid in (
          select ctid from "idempotency_keys" where "expires_at" < "happens_at" limit 5 for update skip locked
        );
      end if;
    end $$;`;
}
