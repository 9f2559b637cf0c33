/** What a file holds that an operator imports. */
export const ImportKind = {
  PRICE_LIST: 'PRICE_LIST',
  POLICIES: 'POLICIES',
  CLOSED_MARKETS: 'CLOSED_MARKETS',
  SOFTWARE: 'SOFTWARE',
  PRODUCT_KEYS: 'PRODUCT_KEYS',
} as const;
export type ImportKind = (typeof ImportKind)[keyof typeof ImportKind];
