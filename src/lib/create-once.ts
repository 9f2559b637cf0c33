import { linkSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Makes a file with its content in one step: of several processes one makes it, and none ever sees it half written.
 * Answers whether this one did.
 */
export function createOnce(file: string, content: string): boolean {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
