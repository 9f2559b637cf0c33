import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { toGlobalId } from '../../../src/domain/global-id.js';
import { CustomerByAnyDocument, CustomersDocument, type CustomersQueryVariables } from '../../generated/graphql.js';
import { engine } from '../../support/database.js';
import { startTestGateway, type TestGateway } from '../../support/gateway.js';
import { aCustomer, type TestCustomer } from '../../support/shop.js';

const orders = [
  { field: 'COMPANY_NAME', direction: 'ASC' },
  { field: 'COMPANY_NAME', direction: 'DESC' },
  { field: 'CREATED_AT', direction: 'ASC' },
  { field: 'CREATED_AT', direction: 'DESC' },
] as const;

describe(`customers, on ${engine}`, () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  /** Customers with those names in the segment of their own group; `created` gives days of creation. */
  const named = async (names: string[], { market = 'US', segment = 'COMMERCIAL', created = [] as string[] } = {}) => {
    const customers: TestCustomer[] = [];
    for (const [index, name] of names.entries()) {
      const customer = await aCustomer(gateway, { market, segment });
      await gateway.sql('update customers set company_name = ?, created_at = ? where id = ?', [
        name,
        created[index] ?? '2026-01-01T00:00:00Z',
        customer.rowId,
      ]);
      customers.push(customer);
    }
    return customers;
  };
  const page = async (variables: CustomersQueryVariables) => {
    const { data, errors } = await gateway.run(CustomersDocument, variables, 'SALES_AGENT');
    if (errors || !data.customers) throw new Error(JSON.stringify(errors));
    return data.customers;
  };
  const list = async (variables: CustomersQueryVariables) => {
    const { edges } = await page({ first: 100, ...variables });
    return edges.map(({ node }) => node);
  };
  const names = async (filter: CustomersQueryVariables['filter']) =>
    (await list({ filter })).map((node) => node.companyName);
  const refused = async (variables: CustomersQueryVariables) =>
    (await gateway.run(CustomersDocument, variables, 'SALES_AGENT')).errors;

  test('a list is filtered by a part of name or domain in any case; wildcards stand for themselves', async () => {
    const tag = randomUUID();
    const [first] = await named([`${tag} 100% Ready`, `${tag} under_score`, `${tag} back\\slash`, `${tag} ÄÖÜ`]);
    expect(await names({ search: `${tag} 100%` })).toEqual([`${tag} 100% Ready`]);
    expect(await names({ search: `${tag.toUpperCase()} UNDER_` })).toEqual([`${tag} under_score`]);
    expect(await names({ search: `${tag} back\\` })).toEqual([`${tag} back\\slash`]);
    expect(await names({ search: `${tag} %` })).toEqual([]);
    expect(await names({ search: `${tag} 100_` })).toEqual([]);
    expect(await names({ search: `${tag}' or true --` })).toEqual([]);
    expect(await names({ search: first?.domain.slice(0, 8).toUpperCase() })).toEqual([`${tag} 100% Ready`]);
    expect(await names({ search: tag })).toHaveLength(4);
  });

  test('a name is found however its accents are written, whoever wrote it, and blanks around a search do not count', async () => {
    const tag = randomUUID();
    await named([`${tag} Müller`, `${tag} Mu\u0308ller & So\u0308hne`, `${tag} Muller`]);
    const both = [`${tag} Müller`, `${tag} Müller & Söhne`];
    for (const part of ['müller', 'mu\u0308ller', 'MÜLLER', 'MU\u0308LLER'])
      expect([part, await names({ search: `${tag} ${part}` })]).toEqual([part, both]);
    expect(await names({ search: ` \t${tag} Müller\u00a0\n` })).toEqual(both);
    expect(await names({ search: `${tag} muller` })).toEqual([`${tag} Muller`]);
  });

  test('names are in the order in which people look for them, both ways and over pages', async () => {
    const tag = randomUUID();
    const ordered = [
      '3M',
      'Äpfel',
      'apple',
      'Apple',
      'Åsa',
      'Éclair',
      'eclipse',
      'Örnek',
      'Zażółć',
      'zebra',
      'Zebra',
      'Ωmega',
      'Яндекс',
      '会社',
    ];
    await named(ordered.toReversed().map((name) => `${tag} ${name}`));
    const expected = ordered.map((name) => `${tag} ${name}`);
    expect(await names({ search: tag })).toEqual(expected);
    const paged: string[] = [];
    for (let after: string | null = null; ; ) {
      const { edges, pageInfo } = await page({ filter: { search: tag }, first: 3, after });
      paged.push(...edges.map(({ node }) => node.companyName));
      after = pageInfo.endCursor as string;
      if (!pageInfo.hasNextPage) break;
    }
    expect(paged).toEqual(expected);
    const orderBy = { field: 'COMPANY_NAME', direction: 'DESC' } as const;
    expect((await list({ filter: { search: tag }, orderBy })).map(({ companyName }) => companyName)).toEqual(
      expected.toReversed(),
    );
  });

  test('a cursor from when names had the order of bytes is refused with words', async () => {
    const before = Buffer.from(JSON.stringify(['Customer:COMPANY_NAME', 'Zebra', randomUUID()])).toString('base64');
    expect(await refused({ after: before })).toMatchObject([
      {
        message: 'after: must be a cursor that this list gave, in the same order',
        extensions: { code: 'BAD_USER_INPUT' },
      },
    ]);
  });

  test('a list is filtered by market, segment and domain; all must hold, and null says nothing', async () => {
    const tag = randomUUID();
    const [swiss] = await named([`${tag} Swiss`], { market: 'CH' });
    await named([`${tag} School`], { market: 'CH', segment: 'EDUCATION' });
    expect(await names({ search: tag, market: 'ch' })).toEqual([`${tag} School`, `${tag} Swiss`]);
    expect(await names({ search: tag, market: 'CH', segment: 'EDUCATION' })).toEqual([`${tag} School`]);
    expect(await names({ search: tag, market: 'FR', segment: null })).toEqual([]);
    expect(await names({ domain: swiss?.domain.toUpperCase() as string, market: null, search: null })).toEqual([
      `${tag} Swiss`,
    ]);
    expect(await names({ domain: 'onmicrosoft.com' })).toEqual([]);
  });

  test.each(orders)(
    'a list by $field $direction pages forward and backward, by any size, with equal keys, without gap or repeat',
    async (orderBy) => {
      const tag = randomUUID();
      const odd = ['b', 'a', 'b', 'B', 'a', 'ä', 'é "quoted"', 'line\nend', '会社', '🙂', 'b', "o'Brien", 'a,b', 'z\\'];
      await named(
        odd.map((name) => `${tag} ${name}`),
        {
          created: odd.map((_, index) => `2026-01-0${1 + (index % 3)}T00:00:00.${index % 2 ? '001' : '000'}Z`),
        },
      );
      const query = { filter: { search: tag }, orderBy };
      const all = (await list(query)).map(({ id }) => id);
      expect(new Set(all).size).toBe(odd.length);
      const reverse = {
        ...query,
        orderBy: { ...orderBy, direction: orderBy.direction === 'ASC' ? 'DESC' : 'ASC' } as const,
      };
      expect((await list(reverse)).map(({ id }) => id)).toEqual(all.toReversed());
      for (const size of [1, 3, 7, 14, 100]) {
        const forward: string[] = [];
        for (let after: string | null = null; ; ) {
          const { edges, pageInfo } = await page({ ...query, first: size, after });
          expect(edges.length).toBeLessThanOrEqual(size);
          expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual([edges[0]?.cursor, edges.at(-1)?.cursor]);
          expect(pageInfo.hasPreviousPage).toBe(after !== null);
          forward.push(...edges.map(({ node }) => node.id));
          after = pageInfo.endCursor as string;
          if (!pageInfo.hasNextPage) break;
        }
        expect(forward).toEqual(all);
        const backward: string[] = [];
        for (let before: string | null = null; ; ) {
          const { edges, pageInfo } = await page({ ...query, last: size, before });
          expect(pageInfo.hasNextPage).toBe(before !== null);
          backward.unshift(...edges.map(({ node }) => node.id));
          before = pageInfo.startCursor as string;
          if (!pageInfo.hasPreviousPage) break;
        }
        expect(backward).toEqual(all);
      }
    },
  );

  test('what comes and goes meanwhile neither repeats nor hides the rest, and a cursor outlives its row', async () => {
    const tag = randomUUID();
    const [, second] = await named(['b', 'd', 'f', 'h'].map((name) => `${tag} ${name}`));
    const query = { filter: { search: tag }, first: 2 };
    const first = await page(query);
    expect(first.edges.map(({ node }) => node.companyName)).toEqual([`${tag} b`, `${tag} d`]);
    await named([`${tag} a`, `${tag} e`]);
    await gateway.sql('delete from customers where id = ?', [second?.rowId]);
    const next = await page({ ...query, after: first.pageInfo.endCursor });
    expect(next.edges.map(({ node }) => node.companyName)).toEqual([`${tag} e`, `${tag} f`]);
    const last = await page({ ...query, after: next.pageInfo.endCursor });
    expect(last.edges.map(({ node }) => node.companyName)).toEqual([`${tag} h`]);
    expect(last.pageInfo.hasNextPage).toBe(false);
    const back = await page({ filter: query.filter, last: 2, before: first.pageInfo.endCursor });
    expect(back.edges.map(({ node }) => node.companyName)).toEqual([`${tag} a`, `${tag} b`]);
  });

  test('between two cursors lies what is between them, from either end', async () => {
    const tag = randomUUID();
    await named(['1', '2', '3', '4', '5', '6'].map((name) => `${tag} ${name}`));
    const { edges } = await page({ filter: { search: tag } });
    const [after, before] = [edges[0]?.cursor as string, edges[5]?.cursor as string];
    const between = async (size: CustomersQueryVariables) =>
      (await page({ filter: { search: tag }, after, before, ...size })).edges.map(({ node }) =>
        node.companyName.at(-1),
      );
    expect(await between({})).toEqual(['2', '3', '4', '5']);
    expect(await between({ first: 2 })).toEqual(['2', '3']);
    expect(await between({ last: 2 })).toEqual(['4', '5']);
  });

  test('an empty page has no cursors and nothing around it', async () => {
    const { edges, pageInfo } = await page({ filter: { search: randomUUID() } });
    expect([edges, pageInfo]).toEqual([
      [],
      { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    ]);
  });

  test('a page has 20 where nothing is said, and totalCount counts all that fits the filter', async () => {
    const tag = randomUUID();
    await named(Array.from({ length: 23 }, (_, index) => `${tag} ${index}`));
    expect((await page({ filter: { search: tag } })).edges).toHaveLength(20);
    const { data } = await gateway.run(
      `query ($search: String, $after: String) { customers(filter: { search: $search }, first: 5, after: $after) { totalCount pageInfo { endCursor } } }`,
      { search: tag },
    );
    expect(data.customers.totalCount).toBe(23);
    const counted = await gateway.run(
      `query ($search: String) { customers(filter: { search: $search }) { totalCount } }`,
      { search: tag },
    );
    expect(counted.data.customers).toEqual({ totalCount: 23 });
  });

  test.each<[string, CustomersQueryVariables]>([
    ['first', { first: 0 }],
    ['first', { first: -1 }],
    ['first', { first: 101 }],
    ['last', { last: 0 }],
    ['last', { last: 101 }],
    ['first', { first: 5, last: 5 }],
  ])('a page of %s %j is refused', async (field, variables) => {
    expect(await refused(variables)).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
  });

  const cursor = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64');
  const id = '00000000-0000-4000-8000-000000000000';
  const byName = 'Customer:COMPANY_NAME:names';
  test.each([
    [''],
    ['rubbish'],
    ['bm90IGpzb24='],
    ['x'.repeat(100_000)],
    [cursor()],
    [cursor(byName)],
    [cursor(byName, 'a')],
    [cursor(byName, 'a', id, 'more')],
    [cursor(byName, 1, id)],
    [cursor(byName, null, id)],
    [cursor(byName, ['a'], id)],
    [cursor(byName, 'a\u0000', id)],
    [cursor(byName, 'a', 'no uuid')],
    [cursor(byName, 'a', `${id}' or true --`)],
    [cursor('Order:PLACED_AT', '2026-01-01T00:00:00.000Z', id)],
    [cursor('feed:other', '1', '2')],
    [Buffer.from('{"0":"Customer:COMPANY_NAME"}').toString('base64')],
  ])('a cursor that the list did not give is refused: number %#', async (hostile) => {
    for (const field of ['after', 'before']) {
      expect(await refused({ [field]: hostile })).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field } }]);
    }
  });

  test.each(['2026-02-30T00:00:00.000Z', '2026-13-01T00:00:00.000Z', '0000-01-01T00:00:00.000Z', 'now', '2026-01-01'])(
    'a cursor with an instant that there is not is refused: %s',
    async (instant) => {
      const orderBy = { field: 'CREATED_AT', direction: 'ASC' } as const;
      const errors = await refused({ orderBy, after: cursor('Customer:CREATED_AT', instant, id) });
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'after' } }]);
    },
  );

  test('a cursor of another order of the same list is refused', async () => {
    await named([`${randomUUID()}`]);
    const { pageInfo } = await page({ first: 1 });
    const errors = await refused({ orderBy: { field: 'CREATED_AT', direction: 'ASC' }, after: pageInfo.endCursor });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', field: 'after' } }]);
  });

  test.each([200])('the cursor of a name of %d characters that take three bytes each is taken', async (length) => {
    const tag = randomUUID();
    await named([`${tag}${'会'.repeat(length)}`, `${tag}${'会'.repeat(length)}社`]);
    const query = { filter: { search: tag }, first: 1 };
    const first = await page(query);
    const second = await page({ ...query, after: first.pageInfo.endCursor });
    expect(second.edges).toHaveLength(1);
    expect(second.edges[0]?.node.id).not.toBe(first.edges[0]?.node.id);
  });

  test.each(['\u0000', 'a\u0000b', '\ud800', '\\', "'", '%', 'x'.repeat(10_000)])(
    'a text that nothing contains, or that PostgreSQL cannot hold, finds nothing or is an input error: number %#',
    async (text) => {
      const answers = [
        await gateway.run(CustomersDocument, { filter: { search: `${randomUUID()}${text}` } }),
        await gateway.run(CustomersDocument, { filter: { domain: text } }),
        await gateway.run(CustomersDocument, { filter: { market: text } }),
        await gateway.run(CustomerByAnyDocument, { by: { domain: text } }),
      ];
      for (const { data, errors } of answers) {
        if (errors) expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
        else
          expect(data).toEqual(
            'customer' in data ? { customer: null } : { customers: expect.objectContaining({ edges: [] }) },
          );
      }
    },
  );

  test('customer(by:) finds by id, tenant and domain in any case; what is missing is null', async () => {
    const customer = await aCustomer(gateway, { market: 'IT', segment: 'CHARITY' });
    const by = async (key: object) =>
      (await gateway.run(CustomerByAnyDocument, { by: key as never }, 'HELPDESK_AGENT')).data.customer;
    const found = {
      id: customer.id,
      tenantId: customer.tenantId,
      domain: customer.domain,
      segment: 'CHARITY',
      market: { code: 'IT' },
    };
    expect(await by({ id: customer.id })).toMatchObject(found);
    expect(await by({ tenantId: customer.tenantId.toUpperCase() })).toMatchObject(found);
    expect(await by({ domain: customer.domain.toUpperCase() })).toMatchObject(found);
    expect(await by({ id: toGlobalId('Customer', randomUUID()) })).toBeNull();
    expect(await by({ tenantId: randomUUID() })).toBeNull();
    expect(await by({ domain: 'nobody.example' })).toBeNull();
  });

  test.each([
    {},
    { id: null },
    { id: 'cus_x', domain: 'a.example' },
    { domain: null, id: 'cus_x' },
    { tenantId: 'no uuid' },
    { id: 'rubbish' },
    { id: toGlobalId('Order', id) },
  ])('customer(by: %j) is an input error', async (by) => {
    const { errors } = await gateway.run(CustomerByAnyDocument, { by: by as never }, 'HELPDESK_AGENT');
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});
