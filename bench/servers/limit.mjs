// The bare limit: node:http and node-postgres, one prepared statement whose JSON PostgreSQL builds. No GraphQL at all.
import http from 'node:http';
import pg from 'pg';
import { shapes } from '../shapes.mjs';
import { listen, tellServed } from './served.mjs';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10, idleTimeoutMillis: 0 });

async function answer(key, parameters) {
  const { rows } = await pool.query({ name: key, text: shapes[key].limit, values: parameters, rowMode: 'array' });
  return `{"data":${rows[0][0]}}`;
}

const server = http.createServer((request, response) => {
  let body = '';
  request
    .setEncoding('utf8')
    .on('data', (chunk) => {
      body += chunk;
    })
    .on('end', async () => {
      try {
        const text = await answer(request.url.slice(1), JSON.parse(body).parameters);
        response
          .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
          .end(text);
      } catch (error) {
        response.writeHead(500).end(String(error));
      }
    });
});
const base = await listen(server);
tellServed({ url: Object.fromEntries(Object.keys(shapes).map((key) => [key, `${base}/${key}`])) });
