/** The playground in a real browser against a real gateway. `npm run test:browser` */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { launchChromium, requireChromium } from './chromium.mjs';
import { startGateway } from './gateway-process.mjs';
import { PlaygroundPage } from './playground-page.mjs';
import { step, summarize } from './steps.mjs';
import { watch } from './watch.mjs';

const SKU = { productId: 'DG7GMGF0FKZV', skuId: '0001' };
const PURCHASE = 'mutation ($input: PurchaseInput!) { purchase(input: $input) { __typename } }';
const oneOf = (sku) => ({ ...sku, quantity: 1 });
const entry = process.env.GATEWAY_ENTRY || fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));

requireChromium();
const browser = await launchChromium();
const gateway = await startGateway(entry);
try {
  await testPlayground(gateway.url);
  await testElsewhere(gateway.url);
  await testRestart(gateway);
} finally {
  await browser.close();
  await gateway.stop();
}
summarize();

async function testPlayground(url) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 800 } });
  context.setDefaultTimeout(15_000);
  const { foreign, complaints } = watch(context, url);
  const page = new PlaygroundPage(await context.newPage());

  await step('the page opens with an editor, under a policy that names no other host', async () => {
    const answer = await page.open(url);
    const policy = answer.headers()['content-security-policy'];
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self';/);
    const { host } = new URL(url);
    for (const [, named] of policy.matchAll(/(?:https?|wss?):\/\/([^ ;]+)/g)) assert.equal(named, host);
  });

  await step('the first example shows data', async () => {
    await page.run();
    await page.response.getByText('"data"').waitFor();
    assert.doesNotMatch(await page.response.innerText(), /"errors"/);
  });

  await step('the history keeps the query', async () => {
    await page.show('History');
    await page.page.locator('.graphiql-history-item').filter({ hasText: 'Viewer' }).waitFor();
  });

  await step('the docs open and show Query', async () => {
    await page.show('Documentation Explorer');
    await page.page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).first().click();
    await page.page.locator('.graphiql-doc-explorer').getByText('customers', { exact: true }).waitFor();
  });

  await step('the workers come from the gateway and mark a field that is not in the graph', async () => {
    await page.page.getByRole('button', { name: 'New tab' }).click();
    await page.replaceQuery('{ viewer { noSuchField } }');
    await page.queryEditor.locator('.squiggly-error').first().waitFor();
    const workers = page.page.workers().map((worker) => worker.url());
    assert.ok(workers.length > 0 && workers.every((address) => address.startsWith(`${url}/playground/`)), `${workers}`);
  });

  await step('a query is laid out by a button', async () => {
    await page.replaceQuery('{viewer{userPrincipalName}}');
    await page.page.getByRole('button', { name: /^Prettify/ }).click();
    await page.queryEditor
      .locator('.view-line')
      .filter({ hasText: /^\s*userPrincipalName$/ })
      .waitFor();
  });

  const listener = new PlaygroundPage(await context.newPage());
  await step('a subscription shows the order that another page places', async () => {
    await listener.open(url);
    await listener.chooseRole('GLOBAL_ADMIN');
    await listener.openTab('ActivityFeed');
    await listener.run();
    await listener.feed.getByText('Subscription running').waitFor();
    await listener.page.locator('.playground-status[data-socket="open"]').waitFor();

    await page.toFront();
    const customerId = await anyCustomer(page);
    await page.chooseRole('SALES_AGENT');
    await page.chooseRole('ADMIN_AGENT');
    await page.openTab('Purchase');
    const input = { idempotencyKey: crypto.randomUUID(), customerId, lines: [oneOf(SKU)] };
    await page.replaceVariables({ input });
    await page.run();
    await page.response.getByText('COMPLETED').waitFor();
    await listener.message('ORDER_PLACED').waitFor();
  });

  await step('the stop button ends the subscription', async () => {
    await listener.toFront();
    await listener.feed.getByRole('button', { name: 'Stop' }).click();
    await listener.feed.getByText('Subscription stopped').waitFor();
  });

  await step('another role fetches the schema with its token and is remembered, by name only', async () => {
    await page.toFront();
    const request = await page.chooseRole('SALES_AGENT');
    assert.match(await request.headerValue('authorization'), /^Bearer ey/);
    await page.page.reload();
    await page.waitForStatus('ready');
    assert.match(await page.status.innerText(), /SALES_AGENT/);
    const stored = await page.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    assert.doesNotMatch(stored, /eyJ/);
  });

  await step('a token that is refused is said so, and forgetting it mends the page', async () => {
    await page.pasteToken('Bearer not.a.token');
    await page.notice.getByText('The gateway refused the token').waitFor();
    await page.queryEditor.locator('.view-line').first().waitFor();
    await page.notice.getByRole('button', { name: 'Forget this token' }).click();
    await page.waitForStatus('ready');
    assert.equal(await page.notice.count(), 0);
  });

  await step('a caller without a token sees the schema and is asked for a token', async () => {
    await page.chooseRole('anonymous');
    await page.openTab('Products');
    await page.run();
    await page.waitForStatus('needsToken');
  });

  await step('nothing was asked of any other host', () => assert.deepEqual(foreign, []));
  await step('the browser complained of nothing', () => assert.deepEqual(complaints, []));
}

async function testElsewhere(url) {
  const context = await browser.newContext({ extraHTTPHeaders: { 'x-forwarded-for': '203.0.113.7' } });
  context.setDefaultTimeout(15_000);
  await step('a visitor from another machine gets no demo token, and is told where to make one', async () => {
    const page = new PlaygroundPage(await context.newPage());
    await page.open(url);
    await page.notice.getByText('npm run --silent token').waitFor();
    assert.match(await page.status.innerText(), /anonymous/);
    assert.equal(await page.page.getByLabel('Role').count(), 0);
    await page.page.goto(`${url}/live`);
    await page.page.locator('#status').getByText('npm run --silent token').waitFor();
    assert.equal(await page.page.getByLabel('Role').isVisible(), false);
  });
  await context.close();
}

async function testRestart({ url, restart }) {
  const page = new PlaygroundPage(await browser.newPage());
  await step('a subscription goes on where it stopped when the gateway restarts', async () => {
    await page.open(url);
    await page.chooseRole('GLOBAL_ADMIN');
    await page.openTab('ActivityFeed');
    await page.run();
    await page.message('FeedCaughtUp').waitFor();
    await restart();
    const input = { idempotencyKey: crypto.randomUUID(), customerId: await anyCustomer(page), lines: [oneOf(SKU)] };
    const { errors } = await page.ask('ADMIN_AGENT', PURCHASE, { input });
    assert.equal(errors, undefined);
    await page.message('FeedDraining').waitFor();
    await page.message('ORDER_PLACED').waitFor();
  });
}

async function anyCustomer(page) {
  const { data, errors } = await page.ask('ADMIN_AGENT', '{ customers(first: 1) { edges { node { id } } } }');
  assert.equal(errors, undefined);
  return data.customers.edges[0].node.id;
}
