// The process under test: the gateway and, on a port of its own, the bare limit, over the same connections.
import http from 'node:http';
import { signDemoToken } from '../dist/src/auth/tokens.js';
import { readConfig } from '../dist/src/config.js';
import { loadDemoOnFirstStart } from '../dist/src/demo/load-demo.js';
import { startGateway } from '../dist/src/server.js';
import { shapes } from './shapes.mjs';

const config = { ...readConfig(), port: 0, logLevel: 'error' };
const gateway = await startGateway(config, {
  prepare: async (orm) =>
    void (await loadDemoOnFirstStart(orm, { now: new Date(), productKeySecrets: config.productKeySecrets })),
});
const { orm } = gateway.services;
const native = await orm.em.getConnection().getNativeClient();
const execute = async (index, parameters) => {
  const { sql } = shapes[index];
  const { rows } =
    config.database.kind === 'server'
      ? await native.query({ name: `limit${index}`, text: sql, values: parameters, rowMode: 'array' })
      : await native.query(sql, parameters, { rowMode: 'array' });
  return rows[0][0];
};

const limit = http.createServer((request, response) => {
  let body = '';
  request
    .setEncoding('utf8')
    .on('data', (chunk) => (body += chunk))
    .on('end', async () => {
      const text = `{"data":${await execute(Number(request.url.slice(1)), JSON.parse(body).parameters)}}`;
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
        .end(text);
    });
});
await new Promise((resolve) => limit.listen(0, '127.0.0.1', resolve));

const [{ domains }] = await orm.em.execute(
  'select array_agg(domain order by domain) as domains from (select domain from customers order by domain limit 200) d',
);
const token = await signDemoToken(
  { role: 'GLOBAL_ADMIN', tenantId: config.auth.partnerTenantId, userPrincipalName: 'bench@partner.example' },
  '2h',
  config.signingSecret,
);
process.send({
  gateway: `${gateway.url}/graphql`,
  limit: `http://127.0.0.1:${limit.address().port}`,
  token,
  engine: config.database.kind,
  facts: {
    domains: Array.isArray(domains) ? domains : domains.slice(1, -1).split(','),
    from: new Date(Date.now() - 400 * 86_400_000).toISOString(),
    to: new Date().toISOString(),
  },
});
process.on('message', async () => {
  limit.close();
  await gateway.stop();
  process.exit(0);
});
