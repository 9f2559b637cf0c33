import { sql } from 'kysely';

/**
 * What a line of our invoices is for, in the words of Microsoft's files, and from which day to which. In a statement that has
 * `invoice_lines` as l, `order_lines` as ol and, where there is one, `cancellation_lines` as cl.
 */
export const ourCharges = {
  chargeType: sql`case l.kind when 'CHARGE' then 'new' else 'cancelImmediate' end`,
  // A credit is for the unused days, which are the last ones of the term.
  chargeStart: sql`case when cl.unused_days = 0 then null else coalesce(ol.term_end - cl.unused_days + 1, ol.term_start) end`,
  chargeEnd: sql`case when cl.unused_days = 0 then null else ol.term_end end`,
};
