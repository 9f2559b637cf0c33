/** Makes the pictures of README.md: docs/playground.png and docs/dashboard.png. `npm run screenshots` */
import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launchChromium, requireChromium } from './chromium.mjs';
import { startGateway } from './gateway-process.mjs';
import { PlaygroundPage } from './playground-page.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const viewport = { width: 1280, height: 800 };
const LARGEST_BYTES = 300_000;
const SQL_SERVER = { productId: 'DG7GMGF0FKZV', skuId: '0001' };

const QUERY = `query CustomerWithOrders($domain: String!) {
  customer(by: { domain: $domain }) {
    companyName
    market { name }
    orders(first: 2) {
      totalCount
      nodes {
        number
        status
        total { amount currency }
        lines {
          quantity
          sku { title }
          cancellableUntil
        }
      }
    }
  }
}`;

requireChromium();
mkdirSync(`${root}/docs`, { recursive: true });
const browser = await launchChromium();
const gateway = await startGateway(`${root}/dist/src/main.js`);
try {
  const context = await browser.newContext({ viewport, colorScheme: 'light', locale: 'en-GB', timezoneId: 'UTC' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: gateway.url });
  context.setDefaultTimeout(20_000);
  const playground = new PlaygroundPage(await context.newPage());
  await takePlayground(playground, gateway.url);
  await takeDashboard(await context.newPage(), playground, gateway.url);
} finally {
  await browser.close();
  await gateway.stop();
}

/** A query that a role has run, with its answer. */
async function takePlayground(playground, url) {
  await playground.open(url);
  await playground.chooseRole('SALES_AGENT');
  await playground.openTab('FindCustomer');
  await paste(playground, QUERY);
  await playground.run();
  await playground.response.getByText('"totalCount"').first().waitFor();
  await playground.page.mouse.move(0, 0);
  await save(playground.page, 'playground.png');
}

/** Monaco indents what is typed, and leaves alone what is pasted. */
async function paste({ page, queryEditor }, text) {
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await queryEditor.locator('.view-lines').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Control+V');
  await queryEditor.getByText('cancellableUntil').waitFor();
  await page.keyboard.press('Control+Home');
}

/** A dashboard that heard what the partner's people and a customer did, through the doors of the product. */
async function takeDashboard(page, playground, url) {
  await page.goto(`${url}/live`);
  await page.locator('#status[data-state="live"]').waitFor();
  for (const [domain, quantity] of [
    ['contoso.onmicrosoft.com', 2],
    ['adatum.onmicrosoft.com', 1],
  ]) {
    await liveThrough(playground, domain, quantity).catch((error) => {
      throw new Error(`${domain}: ${error.message}`);
    });
  }
  await page.bringToFront();
  await page.locator('#counts li', { hasText: 'CANCELLATION_CONFIRMED 2' }).waitFor();
  await save(page, 'dashboard.png');
}

/** A purchase, a key, a download, a question to support, a refused attempt and a cancellation. */
async function liveThrough(playground, domain, quantity) {
  const ask = async (role, query, variables) => {
    const { data, errors } = await playground.ask(role, query, variables);
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  };
  const { customer } = await ask(
    'ADMIN_AGENT',
    'query ($domain: String!) { customer(by: { domain: $domain }) { id } }',
    {
      domain,
    },
  );
  const { purchase } = await ask(
    'ADMIN_AGENT',
    `mutation ($input: PurchaseInput!) { purchase(input: $input) { ... on PurchaseSuccess { order { id lines { entitlement { id }
      sku { softwareVersions { version languages architectures } } } } } ... on Problem { code message } } }`,
    { input: { idempotencyKey: crypto.randomUUID(), customerId: customer.id, lines: [{ ...SQL_SERVER, quantity }] } },
  );
  const [line] = purchase.order.lines;
  const [offered] = line.sku.softwareVersions;
  const entitlementId = line.entitlement.id;
  const { version } = offered;
  const revealing = 'mutation ($input: RevealProductKeyInput!) { revealProductKey(input: $input) { __typename } }';
  await playground.ask('SALES_AGENT', revealing, { input: { entitlementId, version } });
  await ask('ADMIN_AGENT', revealing, { input: { entitlementId, version } });
  const { createDownloadLink } = await ask(
    'ADMIN_AGENT',
    'mutation ($input: CreateDownloadLinkInput!) { createDownloadLink(input: $input) { ... on CreateDownloadLinkSuccess { downloadLink { url } } } }',
    { input: { entitlementId, version, language: offered.languages[0], architecture: offered.architectures[0] } },
  );
  await fetch(createDownloadLink.downloadLink.url).then((image) => image.arrayBuffer());
  await ask(
    'HELPDESK_AGENT',
    'mutation ($input: SubmitSupportRequestInput!) { submitSupportRequest(input: $input) { __typename } }',
    {
      input: {
        idempotencyKey: crypto.randomUUID(),
        customerId: customer.id,
        orderId: purchase.order.id,
        topic: 'CSP Purchase/Refund on behalf of customers',
        impact: 'MINIMAL',
        title: 'Bought once too often',
        description: 'The customer asks for a refund.',
        contact: { name: 'Hugo', email: 'helpdesk.hugo@partner.example', phone: '+1 425 555 0100' },
      },
    },
  );
  await ask('ADMIN_AGENT', 'mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) { __typename } }', {
    input: { idempotencyKey: crypto.randomUUID(), orderId: purchase.order.id, acknowledged: true },
  });
}

async function save(page, name) {
  const path = `${root}/docs/${name}`;
  await page.screenshot({ path });
  const { size } = statSync(path);
  assert.ok(size < LARGEST_BYTES, `${path} has ${size} bytes`);
  console.log(`${path}: ${size} bytes`);
}
