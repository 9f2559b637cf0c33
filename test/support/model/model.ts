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
  /** The month on whose invoice its charge is, once it is bought. */
  chargedOn?: string;
}

/** An order as it should be. */
export interface ModelOrder {
  id: string;
  number: string;
  customer: TestCustomer;
  boughtAt: Date;
  lines: ModelLine[];
}

/** What a line gives back. */
export interface ModelCredit {
  line: ModelLine;
  amount: number;
}

/** What the gateway should know of the customers of one run. */
export class Model {
  readonly orders: ModelOrder[] = [];
  /** How many entries there should be of each action. */
  readonly entries = new Map<string, number>();
  charged = 0;
  credited = 0;
  /** What each document adds up to: by customer, month, and the month whose invoice a credit note is about. */
  readonly documents = new Map<string, number>();
  /** The last purchase that was asked for, to be sent again. */
  last: { input: object; orderId: string } | null = null;

  /** @param closed months that are closed, by their first days; whoever closes one adds it */
  constructor(
    readonly customers: TestCustomer[],
    private readonly closed: ReadonlySet<string>,
  ) {}

  enter(...actions: string[]): void {
    for (const action of actions) this.entries.set(action, (this.entries.get(action) ?? 0) + 1);
  }

  bought(order: ModelOrder): void {
    this.orders.push(order);
    const month = this.bookingMonth(order.boughtAt);
    for (const line of order.lines) {
      line.chargedOn = month;
      this.book(order.customer, month, '', line.unit * line.quantity);
    }
    this.enter('ORDER_PLACED', 'ORDER_CONFIRMED');
  }

  /** What lines give back now, or why they cannot be cancelled. @param asked their places; null: all that stand */
  judge(order: ModelOrder, asked: number[] | null, now: Date): { credits: ModelCredit[]; credit: number } | string {
    const lines = asked
      ? asked.map((at) => order.lines[at] as ModelLine)
      : order.lines.filter(({ isCancelled }) => !isCancelled);
    if (lines.length === 0 || lines.some(({ isCancelled }) => isCancelled)) return 'AlreadyCancelled';
    if (daysBetween(order.boughtAt, now) > WINDOW_DAYS) return 'CancellationWindowClosed';
    const credits = lines.map((line) => ({ line, amount: unitCredit(line, order.boughtAt, now) * line.quantity }));
    return { credits, credit: credits.reduce((sum, { amount }) => sum + amount, 0) };
  }

  /** What was charged on a month that is closed by now is given back on a credit note about its invoice. */
  cancelled({ customer }: ModelOrder, credits: ModelCredit[], now: Date): void {
    const month = this.bookingMonth(now);
    for (const { line, amount } of credits) {
      Object.assign(line, { isCancelled: true, key: null });
      const chargedOn = line.chargedOn as string;
      this.book(customer, month, this.closed.has(chargedOn) ? chargedOn : '', -amount);
    }
    this.enter('CANCELLATION_REQUESTED', 'CANCELLATION_CONFIRMED');
  }

  private book({ rowId }: TestCustomer, month: string, about: string, amount: number): void {
    const document = [rowId, month, about].join(' ');
    this.documents.set(document, (this.documents.get(document) ?? 0) + amount);
    if (amount < 0) this.credited -= amount;
    else this.charged += amount;
  }

  /** The month of an instant, or the first one after it that is open. */
  private bookingMonth(at: Date): string {
    for (const first = new Date(`${monthOf(at)}T00:00:00Z`); ; first.setUTCMonth(first.getUTCMonth() + 1))
      if (!this.closed.has(monthOf(first))) return monthOf(first);
  }
}

/** The first day of the month in which an instant lies. */
export const monthOf = (at: Date) => `${at.toISOString().slice(0, 7)}-01`;

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
