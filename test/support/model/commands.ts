import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { newProductKey } from '../../../src/modules/entitlements/product-key.js';
import {
  CreateDownloadLinkDocument,
  OrderDocument,
  PurchaseDocument,
  PurchasePreviewDocument,
  StoreProductKeysDocument,
} from '../../generated/graphql.js';
import { cancel, quoteOf } from '../cancelling.js';
import { skus } from '../shop.js';
import { reveal } from '../software.js';
import { agrees, confirmed } from './agrees.js';
import { type Model, type ModelLine, type ModelOrder, monthOf } from './model.js';
import { inDollars, type World } from './world.js';

/** Something that somebody does, with what should come of it. */
class Command implements fc.AsyncCommand<Model, World> {
  constructor(
    private readonly name: string,
    private readonly act: (model: Model, world: World) => Promise<void>,
    private readonly needsOrder = false,
  ) {}

  check(model: Readonly<Model>): boolean {
    return !this.needsOrder || model.orders.length > 0;
  }

  async run(model: Model, world: World): Promise<void> {
    await this.act(model, world);
    executed += 1;
    await agrees(model, world);
  }

  toString(): string {
    return this.name;
  }
}

let executed = 0;
/** How many commands were run. */
export const commandsRun = () => executed;

const pick = <One>(list: readonly One[], n: number) => list[n % list.length] as One;
const wanted = fc.array(fc.record({ sku: fc.nat(2), quantity: fc.integer({ min: 1, max: 4 }) }), {
  minLength: 1,
  maxLength: 3,
});
type Wanted = { sku: number; quantity: number }[];

/** The lines that are asked for, and those that the order should have. */
function linesOf(world: World, lines: Wanted): { asked: object[]; expected: ModelLine[]; total: string } {
  const asked = lines.map(({ sku, quantity }) => ({ ...pick(world.skus, sku), quantity }));
  const expected = asked.map(({ productId, quantity }) => ({
    productId,
    quantity,
    unit: world.prices.get(productId) as number,
    isForAYear: productId !== skus.perpetual.productId,
    isCancelled: false,
    key: null,
  }));
  return { asked, expected, total: inDollars(expected.reduce((sum, { unit, quantity }) => sum + unit * quantity, 0)) };
}

async function buyAll(model: Model, world: World, customer: number, lines: Wanted, send: (input: object) => unknown) {
  const { asked, expected, total } = linesOf(world, lines);
  const owner = pick(model.customers, customer);
  const input = { idempotencyKey: randomUUID(), customerId: owner.id, lines: asked };
  await send(input);
  const { data, errors } = await world.gateway.run(PurchaseDocument, { input } as never, 'ADMIN_AGENT');
  const result = data?.purchase;
  if (result?.__typename !== 'PurchaseSuccess') throw new Error(JSON.stringify({ data, errors }));
  expect(result.order.total?.amount).toBe(total);
  const { id, number } = result.order;
  model.bought({ id, number, customer: owner, boughtAt: world.clock, lines: expected });
  model.last = { input, orderId: id };
}

const places = (order: ModelOrder, mask: number) => {
  const named = order.lines.flatMap((_, at) => (mask & (1 << at) ? [at] : []));
  return named.length > 0 ? named : null;
};

async function entitlementOf({ gateway }: World, order: ModelOrder, line: ModelLine): Promise<string> {
  const { data } = await gateway.run(OrderDocument, { id: order.id }, 'ADMIN_AGENT');
  return data.order?.lines[order.lines.indexOf(line)]?.entitlement?.id as string;
}

async function revealKey(model: Model, world: World, which: number, at: number) {
  const order = pick(model.orders, which);
  const line = pick(order.lines, at);
  const entitlementId = await entitlementOf(world, order, line);
  const { data } = await reveal(world.gateway, entitlementId, world.choice.version);
  const result = data.revealProductKey;
  if (line.isCancelled) expect(result?.__typename).toBe('EntitlementRevoked');
  else if (line.isForAYear) expect(result?.__typename).toBe('SoftwareNotOffered');
  else if (line.key === null && world.freeKeys.size === 0) {
    expect(result?.__typename).toBe('ProductKeysRanOut');
  } else {
    if (result?.__typename !== 'RevealProductKeySuccess') throw new Error(JSON.stringify(result));
    model.enter('PRODUCT_KEY_REVEALED');
    if (line.key !== null) expect(result.productKey).toBe(line.key);
    else {
      expect(world.freeKeys).toContain(result.productKey);
      expect(world.givenKeys).not.toContain(result.productKey);
      world.freeKeys.delete(result.productKey);
      world.givenKeys.add(result.productKey);
      line.key = result.productKey;
    }
  }
}

async function download(model: Model, world: World, which: number, at: number) {
  const order = pick(model.orders, which);
  const line = pick(order.lines, at);
  const input = { entitlementId: await entitlementOf(world, order, line), ...world.choice };
  const { data } = await world.gateway.run(CreateDownloadLinkDocument, { input }, 'ADMIN_AGENT');
  const result = data.createDownloadLink;
  if (line.isCancelled) expect(result?.__typename).toBe('EntitlementRevoked');
  else if (line.isForAYear) expect(result?.__typename).toBe('SoftwareNotOffered');
  else {
    if (result?.__typename !== 'CreateDownloadLinkSuccess') throw new Error(JSON.stringify(result));
    expect((await fetch(result.downloadLink.url)).status).toBe(200);
    model.enter('DOWNLOAD_LINK_CREATED', 'SOFTWARE_DOWNLOADED');
  }
}

/** Everything that somebody may do, as often as it weighs. */
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.nat(1), wanted)
      .map(
        ([customer, lines]) =>
          new Command(`purchase ${JSON.stringify(lines)}`, (model, world) =>
            buyAll(model, world, customer, lines, () => undefined),
          ),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.constant(
      new Command('purchase again', async ({ last }, world) => {
        if (!last) return;
        const { data } = await world.gateway.run(PurchaseDocument, { input: last.input } as never, 'ADMIN_AGENT');
        expect(data.purchase).toMatchObject({ __typename: 'PurchaseSuccess', order: { id: last.orderId } });
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: wanted.map(
      (lines) =>
        new Command(`preview ${JSON.stringify(lines)}`, async (model, world) => {
          const { asked, total } = linesOf(world, lines);
          const input = { customerId: model.customers[0]?.id, lines: asked };
          const { data } = await world.gateway.run(PurchasePreviewDocument, { input } as never, 'ADMIN_AGENT');
          expect(data.purchasePreview?.total?.amount).toBe(total);
        }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(fc.nat(9), fc.nat(7), fc.boolean()).map(
      ([which, mask, isQuoted]) =>
        new Command(
          `${isQuoted ? 'quote and ' : ''}cancel lines ${mask} of order ${which}`,
          async (model, world) => {
            const order = pick(model.orders, which);
            const lineNumbers = places(order, mask);
            const judged = model.judge(order, lineNumbers, world.clock);
            const named = lineNumbers ? { lineNumbers } : {};
            let quoteToken: string | null = null;
            if (isQuoted) {
              const quote = await quoteOf(world.gateway, order, lineNumbers ?? undefined);
              if (typeof judged === 'string') expect(quote.problem?.__typename).toBe(judged);
              else expect(quote.credit?.amount).toBe(inDollars(judged.credit));
              quoteToken = quote.quoteToken ?? null;
            }
            const result = await cancel(world.gateway, order, { ...named, quoteToken });
            if (typeof judged === 'string') {
              expect(result.__typename).toBe(judged);
              return;
            }
            expect(result).toMatchObject({
              __typename: 'CancelOrderSuccess',
              cancellation: { credit: { amount: inDollars(judged.credit) } },
            });
            await confirmed(world, order);
            model.cancelled(order, judged.credits, world.clock);
          },
          true,
        ),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(9), fc.nat(2))
      .map(([which, at]) => new Command(`reveal ${at} of order ${which}`, (m, w) => revealKey(m, w, which, at), true)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(9), fc.nat(2))
      .map(([which, at]) => new Command(`download ${at} of order ${which}`, (m, w) => download(m, w, which, at), true)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 1, max: 99_999 }))
      .map((cents) => new Command(`import a list ${cents}`, (_model, world) => world.importPrices(cents))),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 3 }).map(
      (count) =>
        new Command(`store ${count} keys`, async (_model, world) => {
          const productKeys = Array.from({ length: count }, newProductKey);
          const input = { ...skus.perpetual, version: world.choice.version, productKeys };
          const { data } = await world.gateway.run(StoreProductKeysDocument, { input });
          expect(data.storeProductKeys).toMatchObject({ __typename: 'StoreProductKeysSuccess' });
          for (const key of productKeys) world.freeKeys.add(key);
        }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .integer({ min: 1, max: 20 })
      .map((days) => new Command(`${days} days pass`, async (_model, world) => world.pass(days))),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.boolean()).map(
      ([back, isCrashed]) =>
        new Command(
          `${isCrashed ? 'crash in the midst of closing' : 'close'} the month ${back} back`,
          async (_model, world) => {
            const first = new Date(`${monthOf(world.clock)}T00:00:00Z`);
            first.setUTCMonth(first.getUTCMonth() - back);
            const month = monthOf(first);
            if (isCrashed) {
              await world.closeHalf(month);
              await world.crash(async () => undefined);
            }
            await world.close(month);
            world.closed.add(month);
          },
        ),
    ),
  },
  { weight: 1, arbitrary: fc.constant(new Command('restart', (_model, world) => world.restart())) },
  {
    weight: 1,
    arbitrary: wanted.map(
      (lines) =>
        new Command('crash in the midst of a purchase', (model, world) =>
          buyAll(model, world, 0, lines, (input) =>
            world.crash(() => world.gateway.run(PurchaseDocument, { input } as never, 'ADMIN_AGENT')),
          ),
        ),
    ),
  },
);

/** What somebody does one after the other. */
export const someCommands = (most: number) => fc.commands([command], { maxCommands: most, size: 'max' });
