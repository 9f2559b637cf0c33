import { Migration } from '@mikro-orm/migrations';

/**
 * Keys are looked up by index whatever the planner has heard of their table. Where it was filled since its statistics were
 * made, or none has expired, the former function read all of it: with each purchase, every key of 45 days.
 */
export class Migration20261128130000_idempotency_keys_by_index extends Migration {
  override name = 'Migration20261128130000_idempotency_keys_by_index';

  override up(): void | Promise<void> {
    this.addSql(
      takeIdempotencyKey(
        `set enable_seqscan = off`,
        `(select min("expires_at") from "idempotency_keys") < "happens_at"`,
      ),
    );
  }

  override down(): void | Promise<void> {
    this.addSql(takeIdempotencyKey('', `exists (select from "idempotency_keys" where "expires_at" < "happens_at")`));
  }
}

function takeIdempotencyKey(settings: string, someHaveExpired: string): string {
  return `create or replace function "take_idempotency_key"(
      "who" text, "what" text, "name" text, "happens_at" timestamptz,
      out "is_taken" boolean, out "known_fingerprint" text, out "known_answer" jsonb
    ) language plpgsql volatile ${settings} as $$ begin
      "is_taken" := pg_try_advisory_xact_lock(hashtextextended(json_build_array("who", "what", "name")::text, 0));
      if not "is_taken" then return; end if;
      select "fingerprint", "answer" into "known_fingerprint", "known_answer" from "idempotency_keys"
        where "caller" = "who" and "operation" = "what" and "key" = "name" and "expires_at" >= "happens_at";
      if found then return; end if;
      if ${someHaveExpired} then
        delete from "idempotency_keys" where "caller" = "who" and "operation" = "what" and "key" = "name";
        delete from "idempotency_keys" where ctid in (
          select ctid from "idempotency_keys" where "expires_at" < "happens_at" limit 5 for update skip locked
        );
      end if;
    end $$;`;
}
