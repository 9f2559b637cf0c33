import { defineEntity, p } from '@mikro-orm/core';

/**
 * The refresh token of whoever has signed in to Partner Center for the gateway. It is encrypted with a key of
 * `PRODUCT_KEY_SECRETS`; each use gives a new one. One process at a time holds the row while it uses it.
 */
export const PartnerCenterSignIn = defineEntity({
  name: 'PartnerCenterSignIn',
  tableName: 'partner_center_sign_ins',
  properties: {
    singleton: p.boolean().primary().default(true).check('singleton'),
    keyId: p.text().index('partner_center_sign_ins_key_id_idx'),
    encrypted: p.blob(),
    /** When somebody signed in, or the token was used last: it is good for 90 days from then. */
    renewedAt: p.datetime(3),
    /** Who holds it, and until when at most: the claim of a process that died lapses. */
    heldBy: p.uuid().nullable(),
    heldUntil: p.datetime(3).nullable(),
  },
});
