import { parseArgs } from 'node:util';
import { type Config, readConfig } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { type Em, openOrm } from '../database/orm.js';
import { acceptEncryptionKeys, checkEncryptionKeys } from '../modules/entitlements/encryption-keys.js';
import { countProductKeys, rotateProductKeys } from '../modules/entitlements/rotate-keys.js';
import { entities } from '../schema/entities.js';
import { Progress } from '../seed/demo/progress.js';
import { runCommand } from './run-command.js';

const USAGE = `Encrypts every product key, of licences and of the pool, with the first key of PRODUCT_KEY_SECRETS, while the gateways serve.

  npm run keys:rotate [-- --dry-run]

  --dry-run  says how many product keys are under which key id, and changes nothing

Put the new key in front and keep the old one behind it (k2:…,k1:…), in the settings of every gateway first. What was
cut off goes on where it was when it is called again. With the embedded database stop the gateway first.

Exits with 0 when every product key is under the first key, 1 when some are not, 2 when called wrongly or where the
keys are not those of the database; then nothing was changed.`;

type Keys = Config['productKeySecrets'];

/** Answers the exit code. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } });
  const { database, productKeySecrets: keys } = readConfig();
  const orm = await openOrm(database.kind === 'server' ? { ...database, poolSize: 2 } : database, { entities });
  try {
    return values['dry-run'] ? await count(orm.em.fork(), keys) : await rotate(orm.em.fork(), keys);
  } finally {
    await orm.close(true);
  }
}

async function count(em: Em, keys: Keys): Promise<number> {
  const { problems } = await checkEncryptionKeys(em, keys);
  if (problems.length > 0) throw new ConfigError(problems);
  print(keys, await countProductKeys(em));
  return 0;
}

async function rotate(em: Em, keys: Keys): Promise<number> {
  const problems = await em.transactional((transaction) => acceptEncryptionKeys(transaction, keys));
  if (problems.length > 0) throw new ConfigError(problems);
  const toDo = underOthers(keys, await countProductKeys(em));
  const progress = new Progress(process.stderr);
  const began = performance.now();
  const { reencrypted, unreadable } = await rotateProductKeys(em, keys, (done) => {
    if (toDo > 0) progress.show(Math.min(done, toDo), toDo);
  }).finally(() => progress.stop());
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`Encrypted ${number(reencrypted)} with ${keys[0]?.keyId} in ${seconds} s.`);
  const counts = await countProductKeys(em);
  print(keys, counts);
  for (const reason of unreadable) console.error(`left as it was: ${reason}`);
  const left = underOthers(keys, counts);
  if (left > unreadable.length)
    console.error(
      `${number(left - unreadable.length)} came under another key meanwhile: a gateway has not ${keys[0]?.keyId} in front. Start it with the new settings, and call this again.`,
    );
  return left === 0 ? 0 : 1;
}

const number = (count: number) => `${count} product key${count === 1 ? '' : 's'}`;

const underOthers = ([first]: Keys, counts: Map<string, number>) =>
  [...counts].reduce((sum, [keyId, count]) => (keyId === first?.keyId ? sum : sum + count), 0);

function print(keys: Keys, counts: Map<string, number>): void {
  for (const [index, { keyId }] of keys.entries()) {
    const count = counts.get(keyId) ?? 0;
    const remark =
      index === 0
        ? 'the key of new ones'
        : counts.has(keyId)
          ? 'still needed'
          : 'may be taken out of PRODUCT_KEY_SECRETS once no gateway has it in front; keep it as long as backups from before';
    console.log(`  ${keyId}: ${number(count)}; ${remark}`);
  }
}

await runCommand(USAGE, main);
