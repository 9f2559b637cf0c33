import { setTimeout } from 'node:timers/promises';

/** Far beyond what a busy machine takes: it only ends what would never be. */
const PATIENCE_MS = 120_000;
const LOOK_MS = 5;

/** Waits for a named thing to be so; fails by its name where it does not come to be. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`it did not come to be: ${what}`);
    await setTimeout(LOOK_MS);
  }
}
