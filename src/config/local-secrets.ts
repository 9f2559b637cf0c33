import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { createOnce } from '../lib/create-once.js';
import { ConfigError } from './config-error.js';
import { productKeySecretsForm, signingSecretForm } from './settings.js';

const secretsFile = z.object(
  { signingSecret: signingSecretForm, productKeySecrets: productKeySecretsForm },
  { error: 'must be a JSON object' },
);

/**
 * The secrets of a gateway outside production that was given none: made once, kept in `secrets.json` (mode 600).
 * @throws {ConfigError} where the file is there and cannot be read: new secrets would make the data unreadable
 */
export function localSecrets(dataDir: string): z.infer<typeof secretsFile> {
  const file = join(dataDir, 'secrets.json');
  makeOnce(dataDir, file);
  const parsed = secretsFile.safeParse(contentOf(file));
  if (parsed.success) return parsed.data;
  throw unreadable(
    file,
    parsed.error.issues.map(({ path, message }) => [...path, message].join(' ')),
  );
}

function makeOnce(dataDir: string, file: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    if (existsSync(file)) return;
    const secrets = {
      signingSecret: randomBytes(48).toString('base64'),
      productKeySecrets: `local:${randomBytes(32).toString('base64')}`,
    };
    // Where several processes start together, all use what the first one made.
    createOnce(file, JSON.stringify(secrets));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([
      `DATA_DIR: ${file} cannot be made (${code}); name a folder that can be written, or set SIGNING_SECRET and PRODUCT_KEY_SECRETS`,
    ]);
  }
}

function contentOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // What the parser says quotes the file.
    throw unreadable(file, [
      error instanceof SyntaxError ? 'it is not JSON' : String((error as { code?: string }).code),
    ]);
  }
}

const unreadable = (file: string, reasons: string[]) =>
  new ConfigError([
    `DATA_DIR: ${file} cannot be read: ${reasons.join('; ')}. Restore it, or delete it together with the data it is for`,
  ]);
