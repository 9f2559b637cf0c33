import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoIdentity } from '../../../src/auth/demo-identities.js';
import { Role } from '../../../src/auth/role.js';
import { signDemoToken } from '../../../src/auth/tokens.js';
import { DEMO_PARTNER_TENANT_ID } from '../../../src/config/auth-config.js';

const SIGNING_SECRET = 'one secret for every process of these tests';
const PRODUCT_KEY_SECRETS = `k1:${Buffer.alloc(32, 7).toString('base64')}`;
/** The same secrets for a gateway inside a test. */
export const processSecrets = {
  signingSecret: new TextEncoder().encode(SIGNING_SECRET),
  productKeySecrets: [{ keyId: 'k1', secret: new Uint8Array(32).fill(7) }],
};
/** Compiled code, as it is deployed; tests and `npm run soak` start in the project's folder. */
const PROGRAM = 'dist/src/main.js';
/** The same gateway, with a provider that answers over HTTP. */
export const WITH_PROVIDER = 'test/support/gateway-with-provider.mjs';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A gateway in a process of its own, as it is deployed. */
export interface GatewayProcess {
  /** `http://127.0.0.1:PORT` */
  url: string;
  pid: number;
  exited: Promise<Exit>;
  /** Whether it has ended, and how. */
  exit: () => Exit | undefined;
  /** What it wrote to its log. */
  log: string[];
  kill(signal: NodeJS.Signals): void;
  /** Memory in bytes that it holds now. */
  memory(): number;
}

/** Every process started here that still runs: for the end of a test that failed. */
const running = new Set<ChildProcess>();

/** Kills what is left. */
export async function killAllProcesses(): Promise<void> {
  await Promise.all(
    [...running].map((child) => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      return gone;
    }),
  );
}

/**
 * Starts a process and waits until it serves. Rejects with its log where it ends before.
 * @param databaseUrl empty: the embedded database in `dataDir`
 */
export async function startProcess(
  databaseUrl: string,
  dataDir: string,
  settings: Record<string, string> = {},
  program = PROGRAM,
): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [join(process.cwd(), program)], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataDir,
      PORT: '0',
      SIGNING_SECRET,
      PRODUCT_KEY_SECRETS,
      DEMO_DATA: 'false',
      FULFILMENT_DELAY_MS: '0',
      FEED_POLL_MS: '20',
      DRAIN_TIMEOUT_MS: '10000',
      // Timings never decide.
      LOCK_TIMEOUT_MS: '60000',
      LOG_LEVEL: 'warn',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const log: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
  let end: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(child);
      end = { code, signal };
      resolve(end);
    });
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const [, address] = /^ready (\S+)\/graphql$/m.exec(said) ?? [];
      if (address) resolve(address);
    });
    void exited.then(() => reject(new Error(`a gateway did not start:\n${log.join('')}`)));
  });
  return {
    url,
    pid: child.pid as number,
    exited,
    exit: () => end,
    log,
    kill: (signal) => void child.kill(signal),
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024,
  };
}

/** A token that every such process takes. */
export function processToken(role: Role = Role.GLOBAL_ADMIN, user?: string): Promise<string> {
  const identity = demoIdentity(role, DEMO_PARTNER_TENANT_ID);
  return signDemoToken(
    { ...identity, userPrincipalName: user ?? identity.userPrincipalName },
    '8h',
    new TextEncoder().encode(SIGNING_SECRET),
  );
}

/** Has a user come once, so that the gateway knows them: what `revokeAccess` asks for. */
export async function come(url: string, user: string): Promise<void> {
  await post(url, await processToken(undefined, user), '{ viewer { userPrincipalName } }');
}

/** POSTs an operation to a process. Rejects where the line breaks. */
export async function post(url: string, token: string, query: string, variables: object = {}) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: untyped documents answer untyped data
  return (await response.json()) as { data?: any; errors?: any[] };
}
