import { prepare } from './global-setup.mjs';

/** Drops the template database of a server. */
export default function globalTeardown() {
  const { TEST_DATABASE_URL: serverUrl, CSP_GRAPH_TEST_TEMPLATE: template } = process.env;
  if (serverUrl && template) prepare('drop', template);
}
