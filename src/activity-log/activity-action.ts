/** What was done. A closed list with one detail shape each (rule 22, see activity-detail.ts). */
export const ActivityAction = {
  ORDER_PLACED: 'ORDER_PLACED',
  CANCELLATION_REQUESTED: 'CANCELLATION_REQUESTED',
  CANCELLATION_CONFIRMED: 'CANCELLATION_CONFIRMED',
  CANCELLATION_REFUSED: 'CANCELLATION_REFUSED',
  PRODUCT_KEY_REVEALED: 'PRODUCT_KEY_REVEALED',
  PRODUCT_KEYS_STORED: 'PRODUCT_KEYS_STORED',
  PRODUCT_KEYS_RAN_OUT: 'PRODUCT_KEYS_RAN_OUT',
  DOWNLOAD_LINK_CREATED: 'DOWNLOAD_LINK_CREATED',
  SOFTWARE_DOWNLOADED: 'SOFTWARE_DOWNLOADED',
  SUPPORT_REQUEST_SUBMITTED: 'SUPPORT_REQUEST_SUBMITTED',
  SUPPORT_REQUEST_UPDATED: 'SUPPORT_REQUEST_UPDATED',
  SUPPORT_FILE_DOWNLOADED: 'SUPPORT_FILE_DOWNLOADED',
  SUPPORT_FILE_REFUSED: 'SUPPORT_FILE_REFUSED',
  ACCESS_REVOKED: 'ACCESS_REVOKED',
  ACCESS_RESTORED: 'ACCESS_RESTORED',
  SESSION_ENDED: 'SESSION_ENDED',
  ACCESS_DENIED: 'ACCESS_DENIED',
} as const;
export type ActivityAction = (typeof ActivityAction)[keyof typeof ActivityAction];

/** How it ended. */
export const ActivityOutcome = { SUCCEEDED: 'SUCCEEDED', FAILED: 'FAILED', DENIED: 'DENIED' } as const;
export type ActivityOutcome = (typeof ActivityOutcome)[keyof typeof ActivityOutcome];

/** What kind of thing an entry is about. */
export const ResourceType = {
  ORDER: 'ORDER',
  ENTITLEMENT: 'ENTITLEMENT',
  DOWNLOAD_LINK: 'DOWNLOAD_LINK',
  SUPPORT_REQUEST: 'SUPPORT_REQUEST',
  SKU: 'SKU',
  USER: 'USER',
} as const;
export type ResourceType = (typeof ResourceType)[keyof typeof ResourceType];
