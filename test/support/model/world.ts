import { PGlite } from '@electric-sql/pglite';
import { inOwnTransaction } from '../../../src/context/transaction.js';
import { embeddedOptions } from '../../../src/database/orm.js';
import { closeMonth, issueInvoices } from '../../../src/modules/billing/close-month.js';
import { serverUrl, type TestDatabase, testDatabase } from '../database.js';
import { startTestGateway, type TestGateway } from '../gateway.js';
import { aProductId, importList } from '../price-list.js';
import { aCustomer, skus, type TestCustomer } from '../shop.js';

const DAY_MS = 86_400_000;
/** The first day on which a list of the world counts: long enough ago that months are over by the clock of the database. */
const FIRST_LIST = Date.parse('2002-01-01T00:00:00Z');

/** The gateway under test with what it is driven by, the same for every model. */
export class World {
  gateway!: TestGateway;
  clock = new Date('2007-07-15T10:00:00Z');
  /** Products that price lists sell. */
  readonly listed = [aProductId(), aProductId()];
  /** Their prices in cents, as of the newest list. */
  prices = new Map<string, number>();
  /** Keys that were stored and given to nobody yet, and all that were ever given. */
  readonly freeKeys = new Set<string>();
  readonly givenKeys = new Set<string>();
  /** What is revealed and downloaded of the perpetual SKU. */
  choice = { version: '', language: '', architecture: '' };
  /** Months that were closed, by their first days. */
  readonly closed = new Set<string>();
  private lists = 0;
  private database!: TestDatabase;

  /** The SKUs that are bought: the first one is perpetual and has software, the others come by list for a year. */
  get skus(): { productId: string; skuId: string }[] {
    return [skus.perpetual, ...this.listed.map((productId) => ({ productId, skuId: '0001' }))];
  }

  async open(): Promise<void> {
    this.database = await testDatabase();
    await this.start();
    await this.gateway.sql(`update cancellation_policies set effective_date = effective_date - interval '19 years'`);
    const [software] = await this.gateway.sql<World['choice']>(
      `select version, languages[1] as language, architectures[1] as architecture from software_versions
       join skus on skus.id = software_versions.sku_id join products on products.id = skus.product_id
       where products.product_id = ? and skus.sku_id = ? order by position limit 1`,
      [skus.perpetual.productId, skus.perpetual.skuId],
    );
    this.choice = software as World['choice'];
    await this.importPrices([1_000, 2_599]);
  }

  async end(): Promise<void> {
    await this.gateway.stop();
  }

  /** A customer that is none of the demonstration: its keys come from the pool. */
  customer(): Promise<TestCustomer> {
    return aCustomer(this.gateway, { isDemonstration: false });
  }

  async importPrices(cents: number[]): Promise<void> {
    const day = new Date(FIRST_LIST + this.lists * DAY_MS).toISOString().slice(0, 10);
    this.lists += 1;
    const rows = this.listed.map((productId, at) => ({ productId, unitPrice: inDollars(cents[at] as number) }));
    const perpetual = { productId: skus.perpetual.productId, unitPrice: '13748.00', isPerpetual: true };
    await importList(this.gateway, day, [perpetual, ...rows]);
    this.prices = new Map([
      [skus.perpetual.productId, 1_374_800],
      ...this.listed.map((productId, at) => [productId, cents[at] as number] as const),
    ]);
  }

  pass(days: number): void {
    this.clock = new Date(this.clock.getTime() + days * DAY_MS);
  }

  /** Closes a month, which is over by the clock of the database, whatever the world's says, and issues what is on it. */
  async close(month: string): Promise<void> {
    const { services } = this.gateway.gateway;
    await inOwnTransaction(services, (em) => closeMonth(em, month));
    while ((await inOwnTransaction(services, (em) => issueInvoices(em, month, 100))) > 0);
  }

  /** Closes a month and issues one document of it, as a closing that ends in the middle does. */
  async closeHalf(month: string): Promise<void> {
    const { services } = this.gateway.gateway;
    await inOwnTransaction(services, (em) => closeMonth(em, month));
    await inOwnTransaction(services, (em) => issueInvoices(em, month, 1));
  }

  /** Ends the gateway in good order and starts it anew. */
  async restart(): Promise<void> {
    if (serverUrl) {
      await this.gateway.gateway.stop();
      await this.start();
    } else await this.crash(async () => undefined);
  }

  /**
   * Starts something and takes the database away in the midst of it; what was committed by then is what the next gateway
   * finds. Embedded it is a copy of the files as they are, as a crash leaves them.
   */
  async crash(act: () => Promise<unknown>): Promise<void> {
    const acting = act().catch(() => undefined);
    if (serverUrl) {
      await this.gateway
        .sql(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
        )
        .catch(() => undefined);
      await this.gateway.gateway.stop();
    } else {
      const left = await (this.database.pglite as PGlite).dumpDataDir('none');
      await this.gateway.gateway.stop();
      this.database = { ...this.database, pglite: await PGlite.create({ ...embeddedOptions, loadDataDir: left }) };
    }
    await acting;
    await this.start();
  }

  private async start(): Promise<void> {
    this.gateway = await startTestGateway({ database: this.database, now: () => this.clock });
  }
}

/** An amount in cents as the graph has it. */
export const inDollars = (cents: number) => (cents / 100).toFixed(2);
