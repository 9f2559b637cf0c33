import type { TestCustomer } from '../shop.js';

const DAY_MS = 86_400_000;
/** Days within which all of the world's SKUs can be cancelled. */
const WINDOW_DAYS = 30;

/** A line as it should be. Amounts in cents. */
export interface ModelLine {
  productId: string;
  quantity: number;
  unit: number;
  /** Bought for a year; else for good. */
  isForAYear: boolean;
  isCancelled: boolean;
  /** The key that it was given. */
  key: string | null;
}

/** An order as it should be. */
export interface ModelOrder {
  id: string;
  number: string;
  customer: TestCustomer;
  boughtAt: Date;
  lines: ModelLine[];
}

/** What the gateway should know of the customers of one run. */
export class Model {
  readonly orders: ModelOrder[] = [];
  /** How many entries there should be of each action. */
  readonly entries = new Map<string, number>();
  charged = 0;
  credited = 0;
  /** The last purchase that was asked for, to be sent again. */
  last: { input: object; orderId: string } | null = null;

  constructor(readonly customers: TestCustomer[]) {}

  enter(...actions: string[]): void {
    for (const action of actions) this.entries.set(action, (this.entries.get(action) ?? 0) + 1);
  }

  bought(order: ModelOrder): void {
    this.orders.push(order);
    for (const { unit, quantity } of order.lines) this.charged += unit * quantity;
    this.enter('ORDER_PLACED', 'ORDER_CONFIRMED');
  }

  /** What lines give back now, or why they cannot be cancelled. @param asked their places; null: all that stand */
  judge(order: ModelOrder, asked: number[] | null, now: Date): { lines: ModelLine[]; credit: number } | string {
    const lines = asked
      ? asked.map((at) => order.lines[at] as ModelLine)
      : order.lines.filter(({ isCancelled }) => !isCancelled);
    if (lines.length === 0 || lines.some(({ isCancelled }) => isCancelled)) return 'AlreadyCancelled';
    if (daysBetween(order.boughtAt, now) > WINDOW_DAYS) return 'CancellationWindowClosed';
    const credits = lines.map((line) => unitCredit(line, order.boughtAt, now) * line.quantity);
    return { lines, credit: credits.reduce((sum, one) => sum + one, 0) };
  }

  cancelled(lines: ModelLine[], credit: number): void {
    for (const line of lines) Object.assign(line, { isCancelled: true, key: null });
    this.credited += credit;
    this.enter('CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED');
  }
}

/** The unused days of the year, cut to a cent; all of it for what was bought for good, and on the first day. */
function unitCredit({ unit, isForAYear }: ModelLine, boughtAt: Date, now: Date): number {
  if (!isForAYear) return unit;
  const anniversary = new Date(boughtAt);
  anniversary.setUTCFullYear(anniversary.getUTCFullYear() + 1);
  const days = daysBetween(boughtAt, anniversary);
  return Math.floor((unit * (days - daysBetween(boughtAt, now))) / days);
}

const dayOf = (at: Date) => Math.floor(at.getTime() / DAY_MS);
const daysBetween = (from: Date, to: Date) => dayOf(to) - dayOf(from);
