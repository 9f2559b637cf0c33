import { readFileSync } from 'node:fs';
import { type Asker, askers, NOBODY } from '../../src/schema/access-report.js';
import { type Caller, type TestGateway } from './gateway.js';
import type { TestCustomer } from './shop.js';
import { adminOf } from './software.js';

/** The committed table of access: the rows that an asker reaches by coordinate; empty: refused. */
export function goldenTable(): Map<string, Record<Asker, string>> {
  const lines = readFileSync('docs/access.md', 'utf8').match(/^\| `.*$/gm) ?? [];
  return new Map(
    lines.map((line) => {
      const [coordinate = '', ...cells] = line.slice(2, -2).split(' | ');
      return [
        coordinate.replaceAll('`', ''),
        Object.fromEntries(askers.map((asker, index) => [asker, (cells[index] ?? '').trim()])) as Record<Asker, string>,
      ];
    }),
  );
}

/** How each asker calls; a CUSTOMER_ADMIN is the customer's. */
export async function callers(gateway: TestGateway, customer: TestCustomer): Promise<[Asker, Caller | null][]> {
  const admin = await adminOf(gateway, customer);
  return askers.map((asker) => [asker, asker === NOBODY ? null : asker === 'CUSTOMER_ADMIN' ? admin : asker]);
}
