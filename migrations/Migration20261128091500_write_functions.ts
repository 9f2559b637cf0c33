import { Migration } from '@mikro-orm/migrations';

/** Key of the advisory lock of an identity, with its hash as the second one. */
const IDENTITY = 4_275_010;

/**
 * What every use case asks the database for, as functions: a lock, and what is seen under it. Each statement of such a
 * function sees what was committed while the one before it waited, as statements of a client do, but in one round trip.
 */
export class Migration20261128091500_write_functions extends Migration {
  override name = 'Migration20261128091500_write_functions';

  override up(): void | Promise<void> {
    // Lets somebody act: a revocation of their access waits for the end of the transaction. What follows in it are
    // statements that look for single rows, which are not to be planned anew for each value.
    this.addSql(`create function "admit"("who" text, "called" text, out "at" float8, out "is_shut_out" boolean)
    language plpgsql volatile as $$ begin
      perform set_config('plan_cache_mode', 'force_generic_plan', true);
      perform pg_advisory_xact_lock_shared(${IDENTITY}, hashtext("who"));
      "at" := extract(epoch from clock_timestamp()) * 1000;
      "is_shut_out" := exists (select from "access_revocations" where "identity" in ("who", "called") and "restored_at" is null);
    end $$;`);

    // Takes an idempotency key until the end of the transaction, and answers what it was used for. An expired one makes
    // room, and a few others leave with it: the table keeps its size without a job of its own.
    this.addSql(`create function "take_idempotency_key"(
      "who" text, "what" text, "name" text, "happens_at" timestamptz,
      out "is_taken" boolean, out "known_fingerprint" text, out "known_answer" jsonb
    ) language plpgsql volatile as $$ begin
      "is_taken" := pg_try_advisory_xact_lock(hashtextextended(json_build_array("who", "what", "name")::text, 0));
      if not "is_taken" then return; end if;
      select "fingerprint", "answer" into "known_fingerprint", "known_answer" from "idempotency_keys"
        where "caller" = "who" and "operation" = "what" and "key" = "name" and "expires_at" >= "happens_at";
      if found then return; end if;
      if exists (select from "idempotency_keys" where "expires_at" < "happens_at") then
        delete from "idempotency_keys" where "caller" = "who" and "operation" = "what" and "key" = "name";
        delete from "idempotency_keys" where ctid in (
          select ctid from "idempotency_keys" where "expires_at" < "happens_at" limit 5 for update skip locked
        );
      end if;
    end $$;`);

    // The documents that lines are booked on which happens at an instant: on the customer's invoice of the month, and what
    // is given back of a line whose charge is on the invoice of a closed month on a credit note about that invoice. They
    // are opened where they are missing, under new ids. Nothing of invoices is looked at before the month is held open.
    this.addSql(`create function "open_documents"(
      "of_customer" uuid, "in_currency" char(3), "happened_at" timestamptz, "credited" uuid[], "new_ids" uuid[]
    ) returns uuid[] language plpgsql volatile as $$
    declare
      "booked_on" date := "booking_month"("happened_at");
      "last_day" date := "booked_on" + interval '1 month' - interval '1 day';
      "about" uuid; "document" uuid; "documents" uuid[];
    begin
      for "place" in 1 .. array_length("new_ids", 1) loop
        "about" := null;
        if "credited"["place"] is not null then
          select "l"."invoice_id" into "about" from "invoice_lines" "l" join "invoices" "i" on "i"."id" = "l"."invoice_id"
            join "month_closings" "c" on "c"."month" = "i"."period_start"
            where "l"."charge_type" = 'NEW' and "l"."order_line_id" = "credited"["place"];
        end if;
        -- Two transactions of one customer may get here at once: the loser of the unique key reads the winner's row.
        loop
          if "about" is null then
            select "id" into "document" from "invoices" where "document_type" = 'INVOICE'
              and "customer_id" = "of_customer" and "currency" = "in_currency" and "period_start" = "booked_on";
          else
            select "id" into "document" from "invoices" where "amends_of_id" = "about" and "period_start" = "booked_on";
          end if;
          exit when found;
          insert into "invoices" ("id", "document_type", "amends_of_id", "customer_id", "currency", "period_start", "period_end")
            values ("new_ids"["place"], case when "about" is null then 'INVOICE' else 'CREDIT_NOTE' end, "about",
              "of_customer", "in_currency", "booked_on", "last_day") on conflict do nothing;
        end loop;
        "documents" := "documents" || "document";
      end loop;
      return "documents";
    end $$;`);
  }

  override down(): void | Promise<void> {
    for (const name of ['open_documents', 'take_idempotency_key', 'admit']) this.addSql(`drop function "${name}";`);
  }
}
