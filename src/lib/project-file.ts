import { fileURLToPath } from 'node:url';

/** Path of a file of the project. Compiled code lies in `dist/src`, source in `src`: both find it. */
export function projectFile(path: string): string {
  const here = import.meta.url;
  return fileURLToPath(new URL(here.includes('/dist/src/') ? `../../../${path}` : `../../${path}`, here));
}
