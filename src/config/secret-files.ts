import { readFileSync, statSync } from 'node:fs';
import { secretSettings } from './settings.js';

/** More than any secret has; a file above it is another one than was meant. */
const MAXIMUM_BYTES = 65_536;

/** What the environment gives once files are read. */
export interface WithSecretFiles {
  /** The environment, with the content of files under the settings they are for. */
  values: Record<string, string | undefined>;
  /** Paths of the files that were read, by the setting they are for. */
  paths: Map<string, string>;
  /** What is wrong with the files, never with a word of what is in them. */
  problems: string[];
}

/**
 * Reads the files that settings such as `SIGNING_SECRET_FILE` name. A line break at the end is the editor's and counts
 * for nothing.
 */
export function readSecretFiles(given: Record<string, string | undefined>): WithSecretFiles {
  const values = { ...given };
  const paths = new Map<string, string>();
  const problems: string[] = [];
  for (const name of secretSettings) {
    const path = given[`${name}_FILE`];
    if (path === undefined) continue;
    if (given[name] !== undefined) {
      problems.push(`${name}, ${name}_FILE: set one of the two`);
      continue;
    }
    try {
      values[name] = readSecret(path);
      paths.set(name, path);
    } catch (error) {
      problems.push(`${name}_FILE: ${path} ${reasonOf(error as NodeJS.ErrnoException)}`);
    }
  }
  return { values, paths, problems };
}

/** A file that cannot hold a secret; the message goes on where its path ends. */
class NoSecret extends Error {
  override name = 'NoSecret';
}

function readSecret(path: string): string {
  const file = statSync(path);
  if (file.isDirectory()) throw new NoSecret('is a folder; name the file in it');
  // A device or a pipe may have no end.
  if (!file.isFile()) throw new NoSecret('is not a regular file');
  if (file.size > MAXIMUM_BYTES)
    throw new NoSecret(`is larger than ${MAXIMUM_BYTES} bytes; name the file of the secret`);
  const content = decode(readFileSync(path)).replace(/\r?\n$/, '');
  if (content === '') throw new NoSecret('is empty');
  return content;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new NoSecret('is not text in UTF-8; store a binary secret as Base64');
  }
}

/** In words; another error's own message may quote what was read. */
function reasonOf(error: NodeJS.ErrnoException): string {
  if (error instanceof NoSecret) return error.message;
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return 'does not exist';
  if (error.code === 'EACCES' || error.code === 'EPERM') return 'may not be read by the user that the gateway runs as';
  return `cannot be read (${error.code})`;
}
