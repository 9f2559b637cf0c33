import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Debian's Chromium, or the one that CHROMIUM_PATH names. */
export const chromiumPath = process.env.CHROMIUM_PATH || '/usr/bin/chromium';

/** Leaves the process when there is no browser: well, or with an error where REQUIRE_BROWSER=1 asks for one. */
export function requireChromium() {
  if (existsSync(chromiumPath)) return;
  console.log(`SKIPPED: no Chromium at ${chromiumPath}; install with: apt-get install chromium`);
  process.exit(process.env.REQUIRE_BROWSER === '1' ? 1 : 0);
}

/** A browser that can find no host but this machine, as with the network unplugged. */
export function launchChromium() {
  return chromium.launch({
    executablePath: chromiumPath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}
