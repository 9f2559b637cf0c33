import { strangers } from '../../activity-log/strangers.js';
import { type AccessRules, ownTenant } from '../../auth/access-rule.js';
import {
  activityReaders,
  billingReaders,
  cancellationListeners,
  orderReaders,
  salesReaders,
} from '../../auth/role-sets.js';

const rows = ownTenant('customer');

/** Who reads the activity log, as a list, as a stream and as a file (rule 23), and how much it tells of orders. */
export const activityAccess = {
  'Query.activity': { roles: activityReaders },
  'Customer.activity': { roles: activityReaders },
  'Subscription.activity': { roles: activityReaders, rows },
  'Subscription.cancellationConfirmed': { roles: cancellationListeners, rows },
  ActivityEntry: { roles: activityReaders, rows: { ...ownTenant('customerId'), mask: strangers } },
  'ActivityEntry.actor': {
    rows: { partner: 'every customer', customer: 'own tenant, no strangers' },
    meant: strangers.meant,
  },
  'ActivityEntry.productIds': {
    meant: 'Readers of the log learn which products an order was for, though the catalog may not be theirs.',
  },
  'ActivityResource.label': {
    meant:
      'Readers of the log learn the number of an order and the title of a SKU; the order itself only who reads orders.',
  },
  'ActivityResource.node': { roles: orderReaders },
  'OrderPlacedDetail.orderNumber': { meant: 'As by the label: the number, not the order.' },
  'OrderPlacedDetail.lineCount': { meant: 'Readers of the log learn how large an order was, not what it cost.' },
  'OrderPlacedDetail.total': { roles: orderReaders },
  'OrderConfirmedDetail.orderNumber': { meant: 'As by the label: the number, not the order.' },
  'OrderConfirmedDetail.lineCount': { meant: 'Readers of the log learn how large an order was, not what it cost.' },
  'OrderConfirmedDetail.total': { roles: orderReaders },
  'OrderRefusedDetail.orderNumber': { meant: 'As by the label: the number, not the order.' },
  'OrderRefusedDetail.lineCount': { meant: 'Readers of the log learn how large an order was, not what it cost.' },
  'ReconciliationImportedDetail.total': { roles: billingReaders },
  'FileImportedDetail.sha256': { meant: 'Readers of the log learn which file was imported, not what stands in it.' },
  'MonthClosedDetail.invoices': { roles: billingReaders },
  'MonthClosedDetail.creditNotes': { roles: billingReaders },
  'CancellationRequestedDetail.credit': { roles: salesReaders },
  'CancellationConfirmedDetail.credit': { roles: salesReaders },
} satisfies AccessRules;
