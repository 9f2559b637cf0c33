import { CancellationStatus } from '../../modules/orders/order-status.js';
import type { ReferenceSoftwareVersion } from '../reference/reference-data.js';
import { cancelLines } from './cancellations.js';
import type { DemoCustomer } from './customers.js';
import type { Demo } from './demo.js';
import type { DemoLine, DemoOrder } from './demo-order.js';
import { OrderActivity } from './order-activity.js';
import { placeOrder, writeOrder } from './orders.js';
import type { PricedSku } from './prices.js';
import { askSupport } from './support.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** An order of Contoso's and what came of it. */
interface Told {
  /** How long before now it was placed. */
  agoMs: number;
  /** Catalog ids (`PRODUCT:SKU`) and quantities. */
  buys: [catalogId: string, quantity: number][];
  /** Which line's key is shown, and how long before now. */
  keyShown?: { line: number; agoMs: number };
  /** A link for the first line, with as many downloads. */
  downloads?: { agoMs: number; count: number };
  cancelled?: { agoMs: number; status: CancellationStatus };
  asksSupport?: boolean;
}

/** Contoso's orders: one for each thing that a visitor wants to try. */
const story: readonly Told[] = [
  // Perpetual, inside the window: full credit on cancelling, its key and link die with it.
  {
    agoMs: 4 * DAY_MS,
    buys: [['DG7GMGF0FKZV:0001', 2]],
    keyShown: { line: 0, agoMs: 3 * DAY_MS },
    downloads: { agoMs: 3 * DAY_MS, count: 3 },
  },
  // A three-year subscription inside the window, prorated, beside a perpetual licence: cancel one line or both.
  {
    agoMs: 11 * DAY_MS,
    buys: [
      ['DG7GMGF0FKZV:0003', 4],
      ['DG7GMGF0D5RK:0005', 2],
    ],
    keyShown: { line: 0, agoMs: 10 * DAY_MS },
  },
  // Azure Hybrid Benefit: Datacenter is reused, Standard converted; the link has no downloads left.
  {
    agoMs: 5 * DAY_MS,
    buys: [
      ['DG7GMGF0PWHD:0001', 1],
      ['DG7GMGF0PWHC:0003', 2],
      ['DG7GMGF0DVT7:000C', 40],
    ],
    keyShown: { line: 1, agoMs: 4 * DAY_MS },
    downloads: { agoMs: 3 * DAY_MS, count: 50 },
  },
  // A reservation and a server product that only a support request cancels.
  { agoMs: 20 * DAY_MS, buys: [['DZH318Z0BQ36:004G', 1]], asksSupport: true },
  { agoMs: 9 * DAY_MS, buys: [['DG7GMGF0DWM3:0002', 1]] },
  // A Linux plan is never cancelled; a window that has closed; a seven-day window.
  { agoMs: 6 * DAY_MS, buys: [['DZH318Z0XSLE:0001', 3]] },
  {
    agoMs: 200 * DAY_MS,
    buys: [
      ['DG7GMGF0VNHV:0002', 25],
      ['DG7GMGF0PN5F:0002', 25],
    ],
    keyShown: { line: 1, agoMs: 190 * DAY_MS },
  },
  { agoMs: 3 * DAY_MS, buys: [['CFQ7TTC0LH18:0001', 30]] },
  // Cancelled: prorated, and in full with a key that was shown before.
  {
    agoMs: 26 * DAY_MS,
    buys: [['DG7GMGF0FLR2:X001', 10]],
    cancelled: { agoMs: 21 * DAY_MS, status: CancellationStatus.CONFIRMED },
  },
  {
    agoMs: 45 * DAY_MS,
    buys: [['DG7GMGF0VNH2:0002', 4]],
    keyShown: { line: 0, agoMs: 44 * DAY_MS },
    downloads: { agoMs: 44 * DAY_MS, count: 2 },
    cancelled: { agoMs: 40 * DAY_MS, status: CancellationStatus.CONFIRMED },
  },
  // Refused by fulfilment: active again and cancellable; and one that is being cancelled.
  {
    agoMs: 8 * DAY_MS,
    buys: [['DG7GMGF0PWHC:0006', 8]],
    cancelled: { agoMs: 7 * DAY_MS, status: CancellationStatus.REFUSED },
  },
  {
    agoMs: 30 * HOUR_MS,
    buys: [['DG7GMGF0VNJS:0002', 1]],
    cancelled: { agoMs: 60_000, status: CancellationStatus.PENDING },
  },
];

/** How many orders Contoso's story has. */
export const contosoOrderCount = story.length;

/** Tells Contoso's story from order `first` on. Those orders come first, whatever their dates. */
export function generateContoso(demo: Demo, contoso: DemoCustomer, first: number): void {
  for (const [position, told] of story.entries()) {
    const order = placeOrder(
      demo,
      first + position,
      contoso,
      'USD',
      before(demo, told.agoMs),
      told.buys.map(([catalogId, quantity]) => ({ sku: skuOf(demo, catalogId), quantity })),
    );
    if (told.cancelled)
      cancelLines(demo, order, order.lines, before(demo, told.cancelled.agoMs), told.cancelled.status);
    if (told.asksSupport) askSupport(demo, order);
    doActions(demo, order, told);
    writeOrder(demo, order);
  }
}

function doActions(demo: Demo, order: DemoOrder, told: Told): void {
  const activity = new OrderActivity(demo, order);
  if (told.keyShown) activity.revealKey(order.lines[told.keyShown.line] as DemoLine, before(demo, told.keyShown.agoMs));
  if (told.downloads) {
    const line = order.lines[0] as DemoLine;
    const until = line.leftAt ?? demo.now;
    activity.makeLink(
      line,
      before(demo, told.downloads.agoMs - HOUR_MS),
      line.sku.softwareVersions[0] as ReferenceSoftwareVersion,
      told.downloads.count,
      until.getTime(),
    );
  }
  activity.writeKeys();
}

const before = (demo: Demo, agoMs: number): Date => new Date(demo.now.getTime() - agoMs);

function skuOf(demo: Demo, catalogId: string): PricedSku {
  const sku = demo.skus.find(({ productId, skuId }) => `${productId}:${skuId}` === catalogId);
  if (!sku) throw new Error(`The catalog has no SKU ${catalogId}`);
  return sku;
}
