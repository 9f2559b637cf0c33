import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { createOnce } from '../lib/create-once.js';
import { ConfigError } from './config-error.js';

const secretsFile = z.object({ signingSecret: z.string().min(32), productKeySecrets: z.string().min(1) });

/**
 * The secrets of a gateway outside production that was given none: made once, kept in `secrets.json` (mode 600).
 * @throws {ConfigError} where the file is there and cannot be read: new secrets would make the data unreadable
 */
export function localSecrets(dataDir: string): z.infer<typeof secretsFile> {
  const file = join(dataDir, 'secrets.json');
  mkdirSync(dataDir, { recursive: true });
  if (!existsSync(file)) {
    const secrets = {
      signingSecret: randomBytes(48).toString('base64'),
      productKeySecrets: `local:${randomBytes(32).toString('base64')}`,
    };
    // Where several processes start together, all use what the first one made.
    createOnce(file, JSON.stringify(secrets));
  }
  try {
    return secretsFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new ConfigError([
      `DATA_DIR: ${file} cannot be read; restore it, or delete it together with the data it is for`,
    ]);
  }
}
