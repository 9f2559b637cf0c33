import { registerEnumType } from 'type-graphql';
import { ActivityAction, ActivityOutcome, ResourceType } from '../../activity-log/activity-action.js';

registerEnumType(ActivityAction, {
  name: 'ActivityAction',
  description: 'What was done. New actions may join, so leave a branch for those that you do not know.',
  valuesConfig: {
    ORDER_PLACED: { description: 'An order was placed on behalf of a customer.' },
    ORDER_CONFIRMED: { description: 'The provider confirmed an order: it is charged, and its software can be used.' },
    ORDER_REFUSED: {
      description: 'The provider refused an order, or some of its lines. What it refused is not charged.',
    },
    CANCELLATION_REQUESTED: { description: 'Somebody asked to cancel lines; fulfilment has yet to confirm.' },
    CANCELLATION_CONFIRMED: {
      description: 'Fulfilment confirmed a cancellation: its keys and links are revoked and the credit is booked.',
    },
    CANCELLATION_REFUSED: { description: 'Fulfilment refused a cancellation: its lines are active again.' },
    JOB_RETRIED: { description: 'An operator had a job begin at once.' },
    JOB_GIVEN_UP: { description: 'An operator gave a job up: what it was about is refused.' },
    PRODUCT_KEY_REVEALED: { description: 'Somebody was shown a product key.' },
    PRODUCT_KEYS_STORED: { description: 'Product keys were stored, to be given to licences.' },
    PRODUCT_KEYS_RAN_OUT: {
      description: 'Somebody wanted a product key when none was left. It is said once, until some are stored.',
    },
    DOWNLOAD_LINK_CREATED: { description: 'Somebody had a download link made.' },
    SOFTWARE_DOWNLOADED: { description: 'A download began by a download link.' },
    SUPPORT_REQUEST_SUBMITTED: { description: 'A support request was submitted on behalf of a customer.' },
    SUPPORT_REQUEST_UPDATED: { description: 'The state of a support request was changed, or a note was added to it.' },
    SUPPORT_FILE_DOWNLOADED: { description: 'Somebody downloaded a file of a support request, or a part of it.' },
    SUPPORT_FILE_REFUSED: { description: 'A file of a support request was refused by the scanner.' },
    RECONCILIATION_IMPORTED: {
      description: "A reconciliation file of Microsoft's was imported, or came to something else than before.",
    },
    FILE_IMPORTED: {
      description: 'An operator imported a file: a price list, policies, closed markets, software or product keys.',
    },
    MONTH_CLOSED: {
      description:
        'A month was closed: nothing is booked on it any more, and its invoices and credit notes are issued.',
    },
    UPSTREAM_ORDER_PLACED: { description: 'Somebody placed an order in the upstream, not through the gateway.' },
    UPSTREAM_ORDER_CHANGED: { description: 'Somebody changed an order in the upstream, not through the gateway.' },
    UPSTREAM_ORDER_CANCELLED: {
      description: 'Somebody cancelled lines of an order in the upstream, not through the gateway.',
    },
    UPSTREAM_KEY_FETCHED: { description: 'Somebody fetched a product key in the upstream.' },
    UPSTREAM_LINK_FETCHED: { description: 'Somebody fetched a download link in the upstream.' },
    UPSTREAM_CREDIT_CHANGED: { description: 'A credit was given, changed or taken back in the upstream.' },
    UPSTREAM_INVOICE_READY: { description: 'An invoice of the upstream is ready.' },
    UPSTREAM_CHANGED: { description: 'Something else was done in the upstream; the detail has its own word for it.' },
    UPSTREAM_BROKEN: {
      description: 'The upstream could not be read several times in a row. It is said once, until it can be again.',
    },
    UPSTREAM_HEALED: { description: 'The upstream can be read again.' },
    ACCESS_REVOKED: { description: "A user's access was taken away, with any token." },
    ACCESS_RESTORED: { description: "A user's access was given back." },
    SESSION_ENDED: { description: 'A live session of a user was cut.' },
    ACCESS_DENIED: { description: 'Somebody asked for a key or a link without the right to it.' },
  },
});
registerEnumType(ActivityOutcome, {
  name: 'ActivityOutcome',
  description: 'How an action ended, as the activity log has it.',
  valuesConfig: {
    SUCCEEDED: { description: 'The action was done, and its effects are there.' },
    FAILED: { description: 'The action was allowed, but it could not be done.' },
    DENIED: { description: 'The caller had no right to the action.' },
  },
});
registerEnumType(ResourceType, {
  name: 'ActivityResourceType',
  description: 'The kind of thing that an entry of the log is about.',
  valuesConfig: {
    ORDER: { description: 'The entry is about an order.' },
    ENTITLEMENT: { description: 'The entry is about what a customer owns, an entitlement.' },
    DOWNLOAD_LINK: { description: 'The entry is about a link to download what a customer owns.' },
    SUPPORT_REQUEST: { description: 'The entry is about a request to support.' },
    SKU: { description: 'The entry is about a SKU that the partner has keys for.' },
    RECONCILIATION: { description: "The entry is about a reconciliation file of Microsoft's." },
    FILE: { description: 'The entry is about a file that an operator imported.' },
    MONTH: { description: 'The entry is about a month of invoices.' },
    UPSTREAM: { description: 'The entry is about something upstream that is not here, or about the upstream itself.' },
    USER: { description: 'The entry is about a user of the gateway.' },
  },
});
