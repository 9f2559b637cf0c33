/** How many rows; every order has one or two lines. */
export interface ScaleSize {
  customers: number;
  orders: number;
  activity: number;
}
export function fillByNumbers(
  run: (statement: string) => Promise<unknown>,
  size: ScaleSize,
  say?: (what: string) => void,
): Promise<void>;
