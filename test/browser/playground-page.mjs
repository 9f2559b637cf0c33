/** The playground as its user works it: by labels, keys and what can be read. */
export class PlaygroundPage {
  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
    this.response = page.locator('.graphiql-response .result-window');
    this.feed = page.getByRole('region', { name: 'Subscription' });
    this.notice = page.locator('.playground-notice');
    this.status = page.locator('.playground-status');
  }

  /** Opens the page and waits until the schema is there. */
  async open(url) {
    const answer = await this.page.goto(url);
    await this.queryEditor.locator('.view-line').first().waitFor();
    await this.waitForStatus('ready');
    return answer;
  }

  /** A page behind another one draws too seldom to be clicked at. */
  async toFront() {
    await this.page.bringToFront();
  }

  get queryEditor() {
    return this.page.getByRole('region', { name: 'Operation Editor' });
  }

  get variablesEditor() {
    return this.page.getByRole('region', { name: 'Variables' });
  }

  /** @param {'ready' | 'refused' | 'needsToken'} state */
  waitForStatus(state) {
    return this.page.locator(`.playground-status[data-http="${state}"]`).waitFor();
  }

  async chooseRole(title) {
    const schemaFetched = this.page.waitForResponse((response) => isIntrospection(response.request()));
    await this.page.getByLabel('Role').selectOption({ label: title });
    return (await schemaFetched).request();
  }

  async pasteToken(token) {
    await this.page.getByLabel('Token').fill(token);
    await this.page.getByLabel('Token').press('Enter');
  }

  async openTab(name) {
    await this.page.getByRole('tab', { name, exact: true }).click();
  }

  async replaceVariables(variables) {
    await this.replace(this.variablesEditor, JSON.stringify(variables));
  }

  async replaceQuery(query) {
    await this.replace(this.queryEditor, query);
  }

  async replace(editor, text) {
    await editor.locator('.view-lines').click();
    await this.page.keyboard.press('Control+A');
    await this.page.keyboard.insertText(text);
    // Monaco closes brackets and quotes by itself behind what is written.
    await this.page.keyboard.press('Control+Shift+End');
    await this.page.keyboard.press('Delete');
  }

  /** The newest message of the subscription that holds the text. */
  message(text) {
    return this.feed.locator('summary').filter({ hasText: text }).first();
  }

  async run() {
    await this.page.getByRole('button', { name: /^Execute query/ }).click();
  }

  /** Opens a panel of the side bar. */
  async show(panel) {
    await this.page.getByRole('button', { name: `Show ${panel}` }).click();
  }

  /** Asks the graph by the page's own fetch, as a demo role. */
  ask(role, query, variables = {}) {
    return this.page.evaluate(
      async ([title, body]) => {
        const config = await (await fetch('/playground/config.json')).json();
        const { token } = config.demoTokens.find((demo) => demo.title === title);
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
        return (await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(body) })).json();
      },
      [role, { query, variables }],
    );
  }
}

function isIntrospection(request) {
  return request.postData()?.includes('IntrospectionQuery') ?? false;
}
