import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What `npm start` gives Node. */
export const startFlags = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  .scripts.start.split(' ')
  .filter((word) => word.startsWith('--'));

/** Who is compared; `tongue` says which of a shape's queries it understands. */
export const servers = [
  { name: 'limit', title: 'LIMIT (no GraphQL)', file: 'limit', tongue: 'limit' },
  {
    name: 'csp-graph',
    title: '**csp-graph**, tokens, roles, limits, metrics',
    file: 'gateway',
    tongue: 'gateway',
    flags: startFlags,
  },
  { name: 'postgraphile', title: 'PostGraphile 5', file: 'postgraphile', tongue: 'postgraphile' },
  { name: 'mercurius', title: 'Mercurius 16 + JIT, loaders', file: 'mercurius', tongue: 'byHand' },
  { name: 'yoga', title: 'graphql-yoga 5, dataloaders', file: 'yoga', tongue: 'byHand' },
  { name: 'apollo', title: 'Apollo 5, dataloaders', file: 'apollo', tongue: 'byHand' },
  {
    name: 'apollo-tutorial',
    title: 'Apollo 5, a query per field',
    file: 'apollo',
    tongue: 'byHand',
    env: { LOADERS: 'no' },
  },
];

/** A server in a process of its own. */
export class Served {
  constructor(server, child, { url, facts }) {
    Object.assign(this, server, { child, url, facts });
    this.headers = { 'content-type': 'application/json' };
    if (facts.token) this.headers.authorization = `Bearer ${facts.token}`;
  }

  /** Starts it; rejects where it ends before it serves. */
  static async start(server, databaseUrl, profileFolder) {
    const child = fork(new URL(`./servers/${server.file}.mjs`, import.meta.url), {
      env: {
        ...process.env,
        NODE_ENV: 'production',
        GRAPHILE_ENV: 'production',
        DATABASE_URL: databaseUrl,
        ...server.env,
      },
      execArgv: [
        ...(server.flags ?? []),
        ...(profileFolder
          ? ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${server.name}.cpuprofile`]
          : []),
      ],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const told = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`${server.name} stopped with ${code} before it served`)));
    });
    return new Served(server, child, told);
  }

  /** Address and body of one request. */
  request(key, shape, variables) {
    if (this.tongue === 'limit')
      return { url: this.url[key], body: JSON.stringify({ parameters: shape.parameters(variables) }) };
    const { query, variables: inTongue } = shape[this.tongue];
    return { url: this.url, body: JSON.stringify({ query, variables: inTongue(variables) }) };
  }

  /** Asks once; answers `data`. */
  async ask({ url, body }) {
    const response = await fetch(url, { method: 'POST', headers: this.headers, body });
    const text = await response.text();
    const { data, errors } = response.ok || text.startsWith('{') ? JSON.parse(text) : { errors: text };
    if (errors) throw new Error(`${this.name}: ${JSON.stringify(errors).slice(0, 600)}`);
    return data;
  }

  /** A question to the process itself: `usage`, `count`, `counted`. */
  tell(message) {
    return new Promise((resolve, reject) => {
      const ended = (code) => reject(new Error(`${this.name} stopped with ${code}`));
      this.child.once('exit', ended);
      this.child.once('message', (answer) => {
        this.child.off('exit', ended);
        resolve(answer);
      });
      this.child.send(message);
    });
  }

  async stop() {
    if (this.child.exitCode !== null || !this.child.connected) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.send('stop');
    await ended;
  }
}
