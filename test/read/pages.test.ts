import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadDemo } from '../../src/seed/demo/load-demo.js';
import { engine } from '../support/database.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { seededRandom } from '../support/random-operation.js';
import { over, transports } from '../support/transports.js';
import { until } from '../support/until.js';

/** Pages that are asked for of each list, over each transport. */
const PAGES = 8;

/** A list as a field of `Query` or of a customer, its orders, and filters of which some pass some of its items. */
interface List {
  field: string;
  of?: 'customer';
  orders: readonly string[];
  filters: readonly string[];
}

const lists: readonly List[] = [
  {
    field: 'customers',
    orders: ['{field: COMPANY_NAME}', '{field: CREATED_AT, direction: DESC}'],
    filters: ['{}', '{market: "US"}', '{search: "co"}', '{search: "nobody has this"}'],
  },
  {
    field: 'orders',
    orders: ['{field: PLACED_AT, direction: DESC}', '{field: PLACED_AT, direction: ASC}'],
    filters: ['{}', '{statuses: [COMPLETED, CANCELLED]}', '{kind: PERPETUAL_SOFTWARE}'],
  },
  {
    field: 'activity',
    orders: ['{direction: ASC}', '{direction: DESC}'],
    filters: ['{}', '{actions: [ORDER_PLACED, CANCELLATION_CONFIRMED]}', '{from: "2026-01-01T00:00:00Z"}'],
  },
  { field: 'products', orders: ['{field: TITLE}', '{field: PRODUCT_ID, direction: DESC}'], filters: ['{}'] },
  { field: 'invoices', orders: [], filters: ['{}', '{currency: "USD"}', '{productId: "DG7GMGF0FKZV"}'] },
  { field: 'software', orders: [], filters: ['{}', '{statuses: [REVOKED, EXPIRED]}'] },
  { field: 'supportRequests', orders: [], filters: ['{}'] },
  { field: 'orders', of: 'customer', orders: ['{field: PLACED_AT, direction: ASC}'], filters: ['{}'] },
  { field: 'activity', of: 'customer', orders: ['{direction: DESC}'], filters: ['{}', '{actions: [ORDER_PLACED]}'] },
  { field: 'software', of: 'customer', orders: [], filters: ['{}'] },
];

interface Page {
  edges: { cursor: string }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

describe(`pages, on ${engine}`, () => {
  let gateway: TestGateway;
  let customerId: string;
  beforeAll(async () => {
    gateway = await startTestGateway({
      prepare: async (orm) => {
        const productKeySecrets = [{ keyId: 'test', secret: new Uint8Array(32).fill(7) }];
        await loadDemo(orm, { customers: 25, orders: 60, activity: 150, now: new Date(), productKeySecrets });
      },
    });
    const [busiest] = await gateway.sql<{ id: string }>(
      'select customer_id as id from orders group by 1 order by count(*) desc, 1 limit 1',
    );
    customerId = `cus_${busiest?.id}`;
    // Readers see an entry once no transaction of the server, of whichever database, is older than it.
    const [{ count }] = (await gateway.sql<{ count: number }>(
      'select count(*)::int as count from activity_entries',
    )) as [{ count: number }];
    await until(
      'readers see the entries',
      async () => (await gateway.run('{ activity { totalCount } }')).data.activity.totalCount === count,
    );
  });
  afterAll(() => gateway.stop());

  const queryOf = ({ field, of }: List, args: string[]) => {
    const page = `${field}${args.length > 0 ? `(${args.join(', ')})` : ''} {
      edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }`;
    return of ? `{ ${of}(by: {id: "${customerId}"}) { ${page} } }` : `{ ${page} }`;
  };
  const pageOf = async (run: ReturnType<typeof over>, list: List, args: string[]): Promise<Page> => {
    const { data, errors } = await run(queryOf(list, args));
    if (errors) throw new Error(JSON.stringify(errors));
    return (list.of ? data[list.of] : data)[list.field];
  };
  const walked = async (list: List, args: string[]): Promise<string[]> => {
    const cursors: string[] = [];
    for (let more: Page | undefined; more?.pageInfo.hasNextPage !== false; ) {
      const after = more ? [`after: "${more.pageInfo.endCursor}"`] : [];
      more = await pageOf(over('HTTP', gateway), list, [...args, 'first: 100', ...after]);
      cursors.push(...more.edges.map(({ cursor }) => cursor));
    }
    return cursors;
  };

  /** What a page must be, told by the whole list: `whole` without the filter, `passing` with it. */
  function expected(whole: string[], passing: Set<string>, asked: Asked): Page {
    const [from, to] = [asked.after ?? -1, asked.before ?? whole.length];
    const between = whole.filter((cursor, place) => passing.has(cursor) && place > from && place < to);
    const size = asked.last ?? asked.first ?? 20;
    const shown = asked.last ? between.slice(-size) : between.slice(0, size);
    const [start, end] = [shown[0], shown.at(-1)];
    const passesWithin = (first: number, last: number) =>
      whole.some((cursor, place) => passing.has(cursor) && place >= first && place <= last);
    return {
      edges: shown.map((cursor) => ({ cursor })),
      pageInfo: {
        hasNextPage: passesWithin(end ? whole.indexOf(end) + 1 : to, whole.length),
        hasPreviousPage: passesWithin(0, start ? whole.indexOf(start) - 1 : from),
        startCursor: start ?? null,
        endCursor: end ?? null,
      },
    };
  }
  interface Asked {
    first?: number;
    last?: number;
    after?: number;
    before?: number;
  }

  describe.each(transports)('over %s', (transport) => {
    test.each(lists.map((list) => [list.of ? `${list.of}.${list.field}` : list.field, list] as const))(
      '%s says of every page exactly whether items lie before and after it',
      async (_name, list) => {
        const run = over(transport, gateway);
        const random = seededRandom(list.field.length + (list.of ? 1 : 0));
        const pick = <Value>(values: readonly Value[]) => values[Math.floor(random() * values.length)] as Value;
        let isCut = false;
        for (const order of list.orders.length > 0 ? list.orders : [null]) {
          const ordered = order ? [`orderBy: ${order}`] : [];
          const whole = await walked(list, ordered);
          expect(new Set(whole).size).toBe(whole.length);
          for (const filter of list.filters) {
            const args = [...ordered, ...(filter === '{}' ? [] : [`filter: ${filter}`])];
            const passing = new Set(await walked(list, args));
            for (let turn = 0; turn < PAGES; turn += 1) {
              const asked: Asked = {};
              // Within the first ones too, so that pages come that nothing lies before.
              const place = () =>
                Math.floor(random() * (random() < 0.5 ? 4 : whole.length)) % Math.max(1, whole.length);
              const way = pick(['first', 'last', null] as const);
              if (way) asked[way] = pick([1, 2, 3, 100]);
              if (whole.length > 0 && random() < 0.6) asked.after = place();
              if (whole.length > 0 && random() < 0.6) asked.before = place();
              const given = Object.entries(asked).map(([name, value]) =>
                name === 'after' || name === 'before' ? `${name}: "${whole[value]}"` : `${name}: ${value}`,
              );
              const page = await pageOf(run, list, [...args, ...given]);
              isCut ||= page.pageInfo.hasNextPage;
              expect({ asked, filter, ...page }).toEqual({ asked, filter, ...expected(whole, passing, asked) });
            }
          }
        }
        expect(isCut).toBe(true);
      },
    );
  });

  test('a page before a cursor goes on where its end is, whichever other end it was counted from', async () => {
    const run = over('HTTP', gateway);
    const [list] = lists as [List];
    const whole = await walked(list, []);
    const info = async (...args: string[]) => {
      const { pageInfo } = await pageOf(run, list, args);
      return [pageInfo.hasPreviousPage, pageInfo.hasNextPage];
    };
    expect(await info(`before: "${whole[5]}"`)).toEqual([false, true]);
    expect(await info('first: 2', `before: "${whole[5]}"`)).toEqual([false, true]);
    expect(await info('last: 2', `after: "${whole[5]}"`)).toEqual([true, false]);
    expect(await info('first: 2', `after: "${whole[1]}"`, `before: "${whole[4]}"`)).toEqual([true, true]);
    expect(await info(`before: "${whole[0]}"`)).toEqual([false, true]);
    expect(await info(`after: "${whole.at(-1)}"`)).toEqual([true, false]);
  });

  test('a page without a cursor asks the list no further question, and a statement is one', async () => {
    const texts: string[] = [];
    const { readSource } = gateway.gateway.services;
    const { execute } = readSource;
    readSource.execute = (plan, parameters, abort) => {
      texts.push(plan.text);
      return execute(plan, parameters, abort);
    };
    try {
      for (const list of lists) {
        await gateway.run(queryOf(list, ['first: 5']));
        await gateway.run(queryOf(list, ['last: 5']));
      }
    } finally {
      readSource.execute = execute;
    }
    expect(texts).toHaveLength(lists.length * 2);
    expect(texts.filter((text) => text.includes('exists ('))).toEqual([]);
  });
});
