import type { EntitySchema } from '@mikro-orm/postgresql';
import { ActivityEntry, DatabaseIncarnation } from '../activity-log/activity-entry.entity.js';
import { ActivitySeal } from '../activity-log/activity-seal.entity.js';
import { RateLimit } from '../cost/rate-limit.entity.js';
import {
  AccessRevocation,
  GatewayProcess,
  IdempotencyKey,
  KnownUser,
  Session,
} from '../modules/access/access.entity.js';
import { InvoiceSeries, MonthClosing } from '../modules/billing/closing.entity.js';
import { Invoice, InvoiceLine } from '../modules/billing/invoice.entity.js';
import { LedgerEntry } from '../modules/billing/ledger-entry.entity.js';
import { CancellationPolicy } from '../modules/catalog/cancellation-policy.entity.js';
import { Price, Product, Sku, SoftwareVersion } from '../modules/catalog/catalog.entity.js';
import { Market, MarketClosure } from '../modules/catalog/market.entity.js';
import { Customer } from '../modules/customers/customer.entity.js';
import {
  DownloadLink,
  DownloadUse,
  EncryptionCanary,
  Entitlement,
  ProductKey,
} from '../modules/entitlements/entitlement.entity.js';
import { FingerprintSecret, PooledKey, ProductKeyShortage } from '../modules/entitlements/product-key-pool.entity.js';
import { RefusedAttempt } from '../modules/entitlements/refused-attempt.entity.js';
import { UpstreamIntent } from '../modules/fulfilling/intent.entity.js';
import { Job } from '../modules/jobs/job.entity.js';
import { PeriodicWork } from '../modules/jobs/periodic-work.entity.js';
import { UpstreamCustomer } from '../modules/mirroring/upstream-customer.entity.js';
import { UpstreamLine } from '../modules/mirroring/upstream-line.entity.js';
import { UpstreamRecord } from '../modules/mirroring/upstream-record.entity.js';
import { UpstreamSync } from '../modules/mirroring/upstream-sync.entity.js';
import { Cancellation, CancellationLine, Order, OrderLine } from '../modules/orders/order.entity.js';
import { Reconciliation, ReconciliationLine, StatementLine } from '../modules/reconciling/reconciliation.entity.js';
import { SalesByCustomer, SalesByProduct, SalesDelta } from '../modules/sales/sales.entity.js';
import { SupportFile, SupportNote, SupportRequest } from '../modules/support/support-request.entity.js';
import { PartnerCenterSignIn } from '../partner-center/rest/sign-in.entity.js';

/** Every table of the gateway, in the order in which rows can be inserted. */
export const entities: EntitySchema[] = [
  Market,
  MarketClosure,
  Product,
  Sku,
  CancellationPolicy,
  SoftwareVersion,
  Price,
  Customer,
  Order,
  OrderLine,
  Entitlement,
  ProductKey,
  PooledKey,
  ProductKeyShortage,
  FingerprintSecret,
  EncryptionCanary,
  PartnerCenterSignIn,
  DownloadLink,
  DownloadUse,
  Cancellation,
  CancellationLine,
  UpstreamIntent,
  UpstreamCustomer,
  UpstreamLine,
  UpstreamRecord,
  UpstreamSync,
  SalesDelta,
  SalesByProduct,
  SalesByCustomer,
  MonthClosing,
  InvoiceSeries,
  Invoice,
  InvoiceLine,
  LedgerEntry,
  Reconciliation,
  StatementLine,
  ReconciliationLine,
  SupportRequest,
  SupportFile,
  SupportNote,
  ActivityEntry,
  ActivitySeal,
  DatabaseIncarnation,
  AccessRevocation,
  KnownUser,
  GatewayProcess,
  Session,
  IdempotencyKey,
  RateLimit,
  RefusedAttempt,
  Job,
  PeriodicWork,
];
