import { run } from './global-setup.mjs';

/** Drops the template database of a server. */
export default async function globalTeardown() {
  const { TEST_DATABASE_URL: serverUrl, CSP_GRAPH_TEST_TEMPLATE: template } = process.env;
  if (serverUrl && template) await run(serverUrl, `drop database if exists ${template} with (force)`);
}
