import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A provider who is asked over HTTP, and knows a request by its id: asked again, it does nothing and says the same. */
export interface TestProvider {
  url: string;
  /** Ids of requests in the order in which they came. */
  asked: string[];
  /** Ids of what was done. */
  done: string[];
  /** What it does with a request's answer: sends it, or keeps it for ever after having done what was asked. */
  answers: boolean;
  close(): Promise<void>;
}

/** Starts a provider who confirms everything. */
export async function startProvider(): Promise<TestProvider> {
  const server = createServer(async (request, response) => {
    const { orderId, cancellationId } = JSON.parse(await text(request)) as Record<string, string>;
    const id = (cancellationId ?? orderId) as string;
    provider.asked.push(id);
    if (!provider.done.includes(id)) provider.done.push(id);
    if (provider.answers) response.setHeader('content-type', 'application/json').end('"confirmed"');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const provider: TestProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    done: [],
    answers: true,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return provider;
}
