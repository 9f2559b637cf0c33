// Installs what the benchmark compares with, once: peers are no dependencies of the product.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
if (!existsSync(new URL('./node_modules/.package-lock.json', import.meta.url))) {
  console.error('installing the peers into bench/node_modules');
  execFileSync('npm', ['ci', '--prefix', folder, '--loglevel', 'error'], {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
}
