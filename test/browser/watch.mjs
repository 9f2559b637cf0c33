/**
 * Notes what must not happen anywhere in a browser context.
 * @param {import('playwright-core').BrowserContext} context
 * @param {string} url the only address that may be asked
 */
export function watch(context, url) {
  const { host } = new URL(url);
  const foreign = [];
  const complaints = [];
  const note = (address) => {
    const { protocol, host: asked } = new URL(address);
    if (asked !== host && protocol !== 'data:') foreign.push(address);
  };
  context.on('request', (request) => note(request.url()));
  context.on('page', (page) => page.on('websocket', (socket) => note(socket.url())));
  context.on('weberror', ({ error }) => complaints.push(error().message));
  context.on('console', (message) => {
    // Chromium itself reports the 401 that one step provokes.
    if (message.type() === 'error' && !message.text().includes('status of 401')) complaints.push(message.text());
  });
  return { foreign, complaints };
}
