import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { engine } from '../support/database.js';
import { commandsRun, someCommands } from '../support/model/commands.js';
import { Model } from '../support/model/model.js';
import { World } from '../support/model/world.js';

/** Commands that are run, about so many; `MODEL_COMMANDS` says how many else. */
const COUNT = Number(process.env['MODEL_COMMANDS'] ?? 60);
/** Most commands of one run. One that fails is not made shorter: months that were closed and keys that were given stay so. */
const AT_ONCE = 30;

describe(`a model of the business, on ${engine}`, () => {
  const world = new World();
  beforeAll(() => world.open());
  afterAll(() => world.end());

  test('whatever is done, in whatever order, crashes among it: amounts, states, keys, entries, invoices and credit notes agree, and the ledger balances', async () => {
    while (commandsRun() < COUNT) {
      const run = fc.asyncProperty(someCommands(AT_ONCE), async (commands) => {
        const model = new Model([await world.customer(), await world.customer()], world.closed);
        await fc.asyncModelRun(() => ({ model, real: world }), commands);
      });
      await fc.assert(run, { numRuns: 1, endOnFailure: true, interruptAfterTimeLimit: 240_000 });
    }
    console.info(`The model agreed after each of ${commandsRun()} commands, on ${engine}.`);
    expect(commandsRun()).toBeGreaterThanOrEqual(COUNT);
  });
});
