/** What decides how a product is bought and given back. */
export type SoldAs = 'perpetual' | 'software-subscription' | 'linux' | 'licence' | 'reservation';

/** A product with one SKU, as the simulator sells it. */
export interface Product {
  productId: string;
  skuId: string;
  title: string;
  soldAs: SoldAs;
  /** Empty for perpetual software. */
  termDuration: string;
  billingCycle: string;
  unitPrice: string;
  maximumQuantity: number;
  /** The availability that counts now; replaced often. */
  availabilityId: string;
}

export interface Customer {
  id: string;
  commerceId: string;
  domain: string;
  companyName: string;
  country: string;
  email: string;
  relationshipToPartner: string;
  billingEtag: string;
}

export interface CartLine {
  id: number;
  catalogItemId: string;
  quantity: number;
  billingCycle: string;
  termDuration?: string | undefined;
  orderGroup: string;
  error?: { errorCode: number; errorDescription: string; additionalInformation: object } | undefined;
}

export interface Cart {
  id: string;
  customerId: string;
  createdMs: number;
  status: 'Active' | 'Ordered';
  lines: CartLine[];
  /** The order that a group has become. */
  orderOf: Record<string, string>;
}

export interface OrderLine {
  lineNumber: number;
  catalogItemId: string;
  productId: string;
  skuId: string;
  title: string;
  soldAs: SoldAs;
  termDuration: string;
  quantity: number;
  unitPrice: string;
  subscriptionId: string;
  cancelledMs: number | null;
}

export interface Order {
  id: string;
  alternateId: string;
  customerId: string;
  cartId: string;
  billingCycle: string;
  createdMs: number;
  lines: OrderLine[];
}

export interface Subscription {
  id: string;
  orderId: string;
  customerId: string;
  lineNumber: number;
  friendlyName: string;
  quantity: number;
  status: string;
  autoRenewEnabled: boolean;
  version: number;
  createdMs: number;
}

export interface AuditRecord {
  id: string;
  customerId: string;
  customerName: string;
  userPrincipalName: string;
  resourceType: string;
  operationType: string;
  operationStatus: string;
  resourceNewValue: string;
  resourceOldValue: string;
  originalCorrelationId: string;
  operationMs: number;
  /** From when on it is answered: records come late. */
  visibleMs: number;
  customizedData: { key: string; value: string }[];
}

/** A line of the reconciliation, billed once it has an invoice. */
export interface BillingLine {
  invoiceId: string | null;
  customerId: string;
  orderId: string;
  alternateId: string;
  productId: string;
  skuId: string;
  catalogItemId: string;
  title: string;
  chargeType: 'new' | 'cancelImmediate';
  quantity: number;
  unitPrice: string;
  subscriptionId: string;
  termDuration: string;
  atMs: number;
}

export interface Invoice {
  id: string;
  fromMs: number;
  toMs: number;
  total: string;
  /** Grows when the export is made anew with other data. */
  version: number;
}

export interface Export {
  id: string;
  invoiceId: string | null;
  polls: number;
  createdMs: number;
  hasFailed: boolean;
}

export interface Delivery {
  event: string;
  uri: string;
  name: string;
  changedMs: number;
  dueMs: number;
  tries: number;
}

/** Everything that the simulator remembers: plain data, so that it can be written down. */
export interface State {
  random: number;
  offsetMs: number;
  frozenMs: number | null;
  products: Product[];
  customers: Customer[];
  carts: Record<string, Cart>;
  orders: Order[];
  subscriptions: Subscription[];
  audit: AuditRecord[];
  lines: BillingLine[];
  invoices: Invoice[];
  exports: Record<string, Export>;
  /** First answers to writes, by method, path and `MS-RequestId`. */
  answers: Record<string, { status: number; body?: unknown; headers?: Record<string, string> }>;
  /** Refresh tokens that are good, and until when. */
  refreshTokens: Record<string, number>;
  accessTokens: Record<string, { audience: string; isUser: boolean; hasMfa: boolean; expiresMs: number }>;
  /** Consents by device code that somebody has given; false: not yet. */
  deviceCodes: Record<string, boolean>;
  registration: { WebhookUrl: string; WebhookEvents: string[]; SubscriberId: string } | null;
  deliveries: Delivery[];
  validations: Record<string, object>;
}
