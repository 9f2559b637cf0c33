/**
 * What a page may connect to, for its content security policy: the gateway, also by socket, and the origins named. Its
 * tokens lie in the browser, so that nothing else may be sent any.
 * @param host as the browser asked for it
 */
export function connectSources(host: string, origins: readonly string[]): string {
  // Browsers that do not count a WebSocket as 'self' need it named. A strange Host header stays out of the answer.
  const isHost = /^(\[[\da-f:]+\]|[\w.-]+)(:\d+)?$/i.test(host);
  return ["'self'", ...(isHost ? [`ws://${host}`, `wss://${host}`] : []), ...origins].join(' ');
}
