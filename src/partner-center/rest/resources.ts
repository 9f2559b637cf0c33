import { z } from 'zod';
import { decimal, guid, instant, text, when, whole, word } from './spelling.js';

/** A customer of the partner, as lists have them. */
export const customerForm = z.object({
  id: guid,
  companyProfile: z.object({ domain: text, companyName: text }),
  relationshipToPartner: word.optional(),
});
export type ListedCustomer = z.infer<typeof customerForm>;

/** A customer as it says of itself alone. What it says of its people is seen by few. */
export const profileForm = customerForm.extend({
  billingProfile: z
    .object({
      firstName: z.string().nullish(),
      lastName: z.string().nullish(),
      email: z.string().nullish(),
      phoneNumber: z.string().nullish(),
      defaultAddress: z.object({ country: z.string().nullish(), phoneNumber: z.string().nullish() }).nullish(),
    })
    .nullish(),
});
export type CustomerProfile = z.infer<typeof profileForm>;

/** What can be bought of a SKU just now: its id is replaced often. */
export const availabilityForm = z.object({
  id: text,
  catalogItemId: text,
  isPurchasable: z.boolean().optional(),
  defaultCurrency: z.object({ code: text }).nullish(),
  terms: z.array(z.object({ duration: z.string().nullish(), billingCycle: word.nullish() })).nullish(),
});
export type Availability = z.infer<typeof availabilityForm>;

const cartError = z.object({ errorCode: text, errorDescription: z.string().nullish() });

export const cartForm = z.object({
  id: text,
  expirationTimestamp: instant.optional(),
  lineItems: z.array(
    z.object({ id: whole, catalogItemId: text, orderGroup: z.coerce.string().nullish(), error: cartError.nullish() }),
  ),
});
export type Cart = z.infer<typeof cartForm>;

export const orderForm = z.object({
  id: text,
  alternateId: z.string().nullish(),
  referenceCustomerId: guid.optional(),
  billingCycle: word.nullish(),
  currencyCode: z.string().nullish(),
  creationDate: when,
  status: word,
  totalPrice: decimal.nullish(),
  lineItems: z.array(
    z.object({
      lineItemNumber: whole,
      offerId: text,
      quantity: whole,
      friendlyName: z.string().nullish(),
      termDuration: z.string().nullish(),
      subscriptionId: z.string().nullish(),
      /** Where prices were asked for, and the service has them. */
      pricing: z.object({ price: decimal.nullish(), listPrice: decimal.nullish() }).nullish(),
    }),
  ),
});
export type UpstreamOrder = z.infer<typeof orderForm>;

export const checkoutForm = z.object({
  orders: z.array(orderForm).nullish(),
  orderErrors: z
    .array(z.object({ orderGroupId: z.coerce.string(), code: text, description: z.string().nullish() }))
    .nullish(),
});
export type Checkout = z.infer<typeof checkoutForm>;

export const subscriptionForm = z.object({
  id: guid,
  orderId: text,
  offerId: text,
  quantity: whole,
  status: word,
  creationDate: when,
  effectiveStartDate: instant.nullish(),
  commitmentEndDate: instant.nullish(),
  cancellationAllowedUntilDate: instant.nullish(),
  autoRenewEnabled: z.boolean().nullish(),
});
export type UpstreamSubscription = z.infer<typeof subscriptionForm>;

/** What a customer owns of perpetual software and reservations: never a key. */
export const entitlementForm = z.object({
  referenceOrder: z.object({ id: text, lineItemId: whole, alternateId: z.string().nullish() }),
  productId: text,
  skuId: text,
  quantity: whole,
  entitlementType: word,
  fulfillmentState: z.string().nullish(),
  expiryDate: instant.nullish(),
});
export type UpstreamEntitlement = z.infer<typeof entitlementForm>;

/**
 * What somebody did in Partner Center, by the portal or by a program. Values are cut at times: they are not read. Its words
 * are kept as they are written, for there are new ones.
 */
export const auditRecordForm = z.object({
  id: text,
  customerId: z.string().nullish(),
  userPrincipalName: z.string().nullish(),
  resourceType: text,
  operationType: text,
  operationStatus: text,
  operationDate: when,
  originalCorrelationId: z.string().nullish(),
  customizedData: z.array(z.object({ key: z.string(), value: z.string().nullish() })).nullish(),
});
export type AuditRecord = z.infer<typeof auditRecordForm>;

export const invoiceForm = z.object({
  id: text,
  invoiceDate: when,
  totalCharges: decimal,
  currencyCode: text,
  documentType: word.optional(),
});
export type UpstreamInvoice = z.infer<typeof invoiceForm>;
