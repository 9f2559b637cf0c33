import { connected } from './database.mjs';

/** Different requests of each shape, so that no cache of answers would help. */
const POOL = 240;
const DAY = 86_400_000;

/** The same numbers in every run. */
function seededRandom(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state % below;
  };
}

/**
 * What to ask for, by shape: places in the list of customers, domains, and ranges of the log. Both kinds of cursor are
 * taken from a page that the server itself gave, with the place put in.
 */
export async function chooseVariables(address, gatewayCursor, postgraphileCursor) {
  return connected(address, async (client) => {
    const roll = seededRandom(42);
    const { rows: customers } = await client.query('select id, company_name, domain from customers order by 2, 1');
    const [{ latest }] = (await client.query('select max(at) as latest from activity_entries')).rows;
    const numbered = Array.from({ length: POOL }, (_, index) => index);
    const actions = ['SOFTWARE_DOWNLOADED', 'PRODUCT_KEY_REVEALED', 'ORDER_PLACED', 'DOWNLOAD_LINK_CREATED'];
    return {
      nested: numbered.map(() => {
        const { company_name: afterName, id: afterId } = customers[roll(customers.length - 25)];
        return {
          afterName,
          afterId,
          gatewayCursor: withPlace(gatewayCursor, [afterName, afterId]),
          postgraphileCursor: withPlace(postgraphileCursor, [afterName, afterId]),
        };
      }),
      point: numbered.map(() => ({ domain: customers[roll(customers.length)].domain })),
      activity: numbered.map((index) => {
        const to = new Date(latest.getTime() - roll(2 * DAY));
        return {
          action: actions[index % actions.length],
          from: new Date(to.getTime() - 30 * DAY).toISOString(),
          to: to.toISOString(),
        };
      }),
    };
  });
}

/** A cursor of the same list at another place: both servers write `[what list it is, ...values]` in base64. */
function withPlace(cursor, values) {
  if (cursor === null) return null;
  const parts = JSON.parse(Buffer.from(cursor, 'base64').toString('utf8'));
  return Buffer.from(JSON.stringify([...parts.slice(0, -values.length), ...values])).toString('base64');
}
