/** Signing in to the pages at a real OpenID provider, in a real browser. `npm run test:browser` */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { demoTenantId } from '../../dist/src/auth/demo-tenant.js';
import { documentedSettings } from '../support/documented-settings.mts';
import { GLOBAL_ADMINISTRATOR, startIdentityProvider } from '../support/identity-provider.mts';
import { launchChromium, requireChromium } from './chromium.mjs';
import { startGateway } from './gateway-process.mjs';
import { PlaygroundPage } from './playground-page.mjs';
import { step, summarize } from './steps.mjs';
import { watch } from './watch.mjs';

const entry = process.env.GATEWAY_ENTRY || fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const ADMIN = 'admin@contoso.onmicrosoft.com';
const CUSTOMERS = '{ viewer { userPrincipalName roles } customers { nodes { companyName } } }';
/** Where the test leaves pictures to look at; none by default. */
const { PICTURES } = process.env;

requireChromium();
const tenantId = demoTenantId('contoso.onmicrosoft.com');
const people = { [ADMIN]: { tenantId, claims: { wids: [GLOBAL_ADMINISTRATOR] } } };
const settings = documentedSettings('Entra ID', 'PROVIDER');
const provider = await startIdentityProvider({ like: 'entra', people, serviceTenantId: settings.PARTNER_TENANT_ID });
const browser = await launchChromium();
const gateway = await startGateway(entry, documentedSettings('Entra ID', provider.url));
try {
  await provider.allow(gateway.url);
  await testSignIn(gateway.url);
} finally {
  await browser.close();
  await gateway.stop();
  await provider.stop();
}
summarize();

async function testSignIn(url) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 800 } });
  context.setDefaultTimeout(15_000);
  const { foreign, complaints } = watch(context, url);
  const page = new PlaygroundPage(await context.newPage());
  const tab = page.page;

  await step(
    'the page says that nobody is signed in, under a policy that names the provider and nobody else',
    async () => {
      const answer = await page.open(url);
      const connect = /connect-src ([^;]+)/.exec(answer.headers()['content-security-policy'])[1].split(' ');
      const { host } = new URL(url);
      assert.deepEqual(connect, ["'self'", `ws://${host}`, `wss://${host}`, provider.url]);
      assert.match(await page.status.innerText(), /anonymous/);
      assert.equal(await tab.getByLabel('Role').count(), 0);
    },
  );

  await step('a provider that does not answer is told in words', async () => {
    provider.isDown = true;
    await tab.getByRole('button', { name: 'Sign in' }).click();
    await page.notice.getByText('does not answer as it should').waitFor();
    provider.isDown = false;
  });

  await step("a customer's Global Administrator signs in from their own tenant", async () => {
    await tab.getByRole('button', { name: 'Sign in', exact: true }).click();
    await tab.waitForURL(`${provider.url}/**`);
    await tab.getByLabel('Who are you?').fill(ADMIN);
    await tab.getByRole('button', { name: 'Sign in' }).click();
    await tab.waitForURL(`${url}/`);
    await page.waitForStatus('ready');
    assert.match(await page.status.innerText(), new RegExp(ADMIN));
    await page.replaceQuery(CUSTOMERS);
    await page.run();
    await page.response.getByText('CUSTOMER_ADMIN').waitFor();
    const shown = await page.response.innerText();
    assert.match(shown, /Contoso/);
    assert.equal(shown.match(/companyName/g).length, 1);
    await picture(tab, 'signed-in');
  });

  await step('the code went with a verifier, and tokens are in this tab’s storage alone', async () => {
    const stored = await tab.evaluate(() => [
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
    ]);
    assert.doesNotMatch(stored[0], /eyJ/);
    assert.match(stored[1], /refresh_token/);
    assert.doesNotMatch(tab.url(), /code|state/);
  });

  await step('a reload leaves them signed in', async () => {
    await tab.reload();
    await page.waitForStatus('ready');
    assert.match(await page.status.innerText(), new RegExp(ADMIN));
  });

  await step('a new token ends nothing: the subscription goes on, and the schema is not fetched again', async () => {
    provider.life = 64;
    await expireSoon(tab);
    await tab.reload();
    await page.waitForStatus('ready');
    await page.openTab('ActivityFeed');
    await page.run();
    await page.message('FeedCaughtUp').waitFor();
    const asked = [];
    tab.on('request', (request) => asked.push(request));
    await tab.waitForRequest(isRenewal);
    await tab.waitForRequest(isRenewal);
    assert.equal(asked.filter((request) => request.url().endsWith('/graphql')).length, 0);
    assert.ok(await page.feed.getByText('Subscription running').isVisible());
    await page.feed.getByRole('button', { name: 'Stop' }).click();
  });

  await step('the dashboard is theirs too, and goes on with new tokens', async () => {
    await expireSoon(tab);
    const renewals = [];
    tab.on('request', (request) => isRenewal(request) && renewals.push(request));
    await tab.goto(`${url}/live`);
    await tab.locator('#status[data-state="live"]').waitFor();
    await tab.getByRole('button', { name: `Sign out ${ADMIN}` }).waitFor();
    while (renewals.length < 2) await tab.waitForRequest(isRenewal);
    provider.life = 3_600;
    assert.equal(await tab.locator('#status').getAttribute('data-state'), 'live');
    assert.ok((await tab.locator('#entries tr').count()) > 0);
    await picture(tab, 'live');
  });

  await step('a provider that gives no new token is asked again by the dashboard itself', async () => {
    await tab.evaluate(() => {
      const key = Object.keys(sessionStorage).find((name) => name.startsWith('oidc.user'));
      const user = { ...JSON.parse(sessionStorage[key]), refresh_token: 'withdrawn', expires_at: 1 };
      sessionStorage[key] = JSON.stringify(user);
    });
    const [asked] = await Promise.all([
      tab.waitForRequest((request) => request.url().startsWith(`${provider.authority}/auth?`)),
      tab.reload(),
    ]);
    assert.equal(new URL(asked.url()).searchParams.get('code_challenge_method'), 'S256');
    await tab.waitForURL(`${url}/live`);
    await tab.locator('#status[data-state="live"]').waitFor();
  });

  await step('a sign-in that is none is told in words, and leads back', async () => {
    await tab.goto(`${url}/signed-in?error=access_denied&state=unknown`);
    await tab.getByRole('alert').getByText('over already').waitFor();
    await picture(tab, 'refused');
    await tab.getByRole('link', { name: 'playground' }).click();
    await page.waitForStatus('ready');
    assert.match(await page.status.innerText(), new RegExp(ADMIN));
  });

  await step('signing out is for the provider too', async () => {
    await tab.getByRole('button', { name: 'Sign out' }).click();
    await tab.waitForURL(`${provider.url}/**`);
    await tab.getByRole('button', { name: /yes/i }).click();
    await tab.waitForURL((address) => address.href.startsWith(`${url}/`));
    await page.waitForStatus('ready');
    assert.match(await page.status.innerText(), /anonymous/);
    assert.doesNotMatch(await tab.evaluate(() => JSON.stringify({ ...sessionStorage })), /eyJ/);
  });

  await step('nobody but the provider was asked', () =>
    assert.deepEqual(
      foreign.filter((address) => !address.startsWith(provider.url)),
      [],
    ),
  );
  await step('the browser complained of nothing else', () =>
    assert.deepEqual(
      complaints.filter((text) => !/503|400|CORS|ERR_FAILED/.test(text)),
      [],
    ),
  );
}

/** Tokens are renewed a minute before they expire. */
function isRenewal(request) {
  return request.postData()?.includes('grant_type=refresh_token') ?? false;
}

/** Has the next page that is loaded renew the token a second later. */
function expireSoon(tab) {
  return tab.evaluate(() => {
    const key = Object.keys(sessionStorage).find((name) => name.startsWith('oidc.user'));
    const user = { ...JSON.parse(sessionStorage[key]), expires_at: Math.floor(Date.now() / 1_000) + 61 };
    sessionStorage[key] = JSON.stringify(user);
  });
}

async function picture(tab, name) {
  if (!PICTURES) return;
  mkdirSync(PICTURES, { recursive: true });
  await tab.screenshot({ path: `${PICTURES}/${name}.png` });
}
