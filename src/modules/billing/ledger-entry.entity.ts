import { defineEntity, type InferEntity, p } from '@mikro-orm/core';
import { LedgerAccount } from '../../domain/ledger-account.js';
import { appendOnly } from './append-only.js';
import { InvoiceLine } from './invoice.entity.js';

/**
 * One side of a double entry: each line of an invoice debits or credits what the customer owes, and the account that the
 * other half is on. A trigger of `invoice_lines` writes them, so that no line is booked without; the constraint trigger
 * looks at the end of the transaction whether they add up to zero, and to the line. Append-only, like the lines.
 */
export const LedgerEntry = defineEntity({
  name: 'LedgerEntry',
  tableName: 'ledger_entries',
  properties: {
    seq: p.bigint('string').autoincrement().primary(),
    /** The entries of one line are one transaction of the ledger. */
    invoiceLine: p.manyToOne(InvoiceLine),
    account: p.enum(Object.values(LedgerAccount)),
    /** Customer and currency, as the invoice says: no reference, which would be looked up once more for each entry. */
    customerId: p.uuid(),
    currency: p.string().columnType('char(3)'),
    /** In the currency of the order: debits are positive, credits negative. */
    amount: p.decimal('string').columnType('numeric'),
    bookedAt: p.datetime(3),
  },
  uniques: [{ name: 'ledger_entries_once_key', properties: ['invoiceLine', 'account'] }],
  triggers: [
    {
      name: 'ledger_entries_minor_unit',
      timing: 'before',
      events: ['insert'],
      forEach: 'row',
      body: `perform guard_minor_unit(new.amount, new.currency); return new`,
    },
    appendOnly('ledger_entries'),
    {
      name: 'ledger_entries_balance',
      timing: 'after',
      events: ['insert'],
      forEach: 'row',
      // The ORM knows no constraint triggers: it takes this text as it is, and looks at the name alone.
      expression: `create function "ledger_entries_ledger_entries_balance_fn"() returns trigger language plpgsql as $$ begin
        if (select sum("e"."amount") <> 0 or sum("e"."amount") filter (where "e"."account" = 'ACCOUNTS_RECEIVABLE') is distinct from "l"."amount"
          from "ledger_entries" "e" join "invoice_lines" "l" on "l"."id" = "e"."invoice_line_id"
          where "e"."invoice_line_id" = new."invoice_line_id" group by "l"."id") then
          raise exception 'the entries of invoice line % do not balance (rule 16)', new."invoice_line_id"
            using errcode = 'integrity_constraint_violation', constraint = 'ledger_entries_balance';
        end if; return null; end $$;
        create constraint trigger "ledger_entries_balance" after insert on "ledger_entries" deferrable initially deferred
        for each row execute function "ledger_entries_ledger_entries_balance_fn"()`,
    },
  ],
});
export type LedgerEntry = InferEntity<typeof LedgerEntry>;
