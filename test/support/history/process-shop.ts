import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverUrl, type TestDatabase, testDatabase, unpackDatabase } from '../database.js';
import { startTestGateway } from '../gateway.js';
import { aCustomer, stockShop, type TestCustomer } from '../shop.js';
import { killAllProcesses, processSecrets } from './gateway-process.js';

/** A stocked database with a customer, for gateways that are processes of their own. */
export interface ProcessShop {
  customer: TestCustomer;
  /** Address of the database; empty: an embedded one, in the folder. */
  url: string;
  folder: string;
  /** Kills the processes and drops the database. */
  close(): Promise<void>;
}

/** Makes one. @param name says in the folder's name whose it is */
export async function openProcessShop(name: string): Promise<ProcessShop> {
  const folder = mkdtempSync(join(tmpdir(), `csp-graph-${name}-`));
  const dataDir = join(folder, 'postgres');
  let database: TestDatabase | null = null;
  if (serverUrl) database = await testDatabase();
  else unpackDatabase(dataDir);
  const config = database?.config ?? ({ kind: 'embedded', dataDir } as const);
  const shop = await startTestGateway({
    database: { config, pglite: undefined, drop: async () => undefined },
    config: processSecrets,
  });
  await stockShop(shop);
  const customer = await aCustomer(shop);
  await shop.gateway.stop();
  return {
    customer,
    url: config.kind === 'server' ? config.url : '',
    folder,
    close: async () => {
      await killAllProcesses();
      await database?.drop();
      rmSync(folder, { recursive: true });
    },
  };
}
