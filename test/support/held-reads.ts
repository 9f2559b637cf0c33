import type { TestGateway } from './gateway.js';

/** Makes all reads of customers wait, or of another table, on either engine. @returns how to let them go on */
export async function holdReads({ gateway }: TestGateway, table = 'customers'): Promise<() => Promise<void>> {
  const hold = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const held = gateway.services.orm.em.fork().transactional(async (em) => {
    await em.execute(`lock table "${table}" in access exclusive mode`);
    begun.resolve();
    await hold.promise;
  });
  await begun.promise;
  return async () => {
    hold.resolve();
    await held;
  };
}
