import { setTimeout } from 'node:timers/promises';

const PATIENCE_MS = 10_000;
const LOOK_MS = 5;

/** Waits for a named thing to be so; fails by its name where it does not come to be. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += LOOK_MS) {
    if (waited > PATIENCE_MS) throw new Error(`it did not come to be: ${what}`);
    await setTimeout(LOOK_MS);
  }
}
