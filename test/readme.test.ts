import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const ADDRESS = '127.0.0.1:4000';
/** What begins so starts or installs something, or needs Docker: it is not run here. */
const NOT_RUN = /^(npm ci|(\w+=\S+ )*npm start|docker )/;
/** What runs until somebody stops it. */
const ENDLESS = /curl -sN|node --input-type=module -/;

/** The commands of npm that snippets call, without npm, which takes seconds: one session shows that it finds them. */
const QUICK_NPM = `npm() {
  local script="$3"
  shift 4
  node "dist/src/cli/$script.js" "$@"
}
`;
/** Interactive, and without the settings of whoever runs the tests: as if the text were pasted. */
const shells: [name: string, options: string[]][] = [
  ['bash', ['--norc', '--noprofile', '-i']],
  ['zsh', ['-f', '-i']],
];
const isThere = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

const blocksOf = (path: string): string[] =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/^```bash\n(.*?)^```$/gms)].map(([, text]) => text as string);
/** Other blocks may show a picture or an answer, but nothing to paste. */
const documents = ['README.md', 'docs/clients.md', 'docs/operating.md', 'CONTRIBUTING.md'];

describe('snippets', () => {
  test.each(documents)('of %s can be pasted: no comments, no options of GNU alone', (path) => {
    const blocks = blocksOf(path);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) {
      expect(block).not.toMatch(/^\s*#|\s#\s/m);
      expect(block).not.toMatch(
        /\btac\b|date -d|sed -\w*i|sed -n '?s.*\/ip|grep -\w*P|readlink -f|head -n -|\/dev\/stderr|base64 -w/,
      );
      for (const [address] of block.matchAll(/(?<!['"\w])https?:\/\/\S*[?*[\]]\S*/g)) expect(address).toBe('quoted');
    }
  });

  test('README begins with what starts it and what tests it', () => {
    expect(blocksOf('README.md')[0]).toBe('npm ci && npm start\nnpm ci && npm test\n');
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toMatch(/^# csp-graph\n\n```bash\nnpm ci && npm start\n/);
  });
});

describe('snippets against a gateway with demonstration data', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'csp-graph-readme-'));
  const environment = {
    HOME: dataDir,
    TERM: 'dumb',
    DATA_DIR: dataDir,
    // The Node that runs this, as the npm scripts have it.
    PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
  };
  let gateway: ChildProcess;
  let host = '';

  beforeAll(async () => {
    gateway = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
      env: { ...environment, PORT: '0', LOG_LEVEL: 'error' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    for await (const line of createInterface({ input: gateway.stdout as NodeJS.ReadableStream })) {
      host = /^ready http:\/\/(.*)\/graphql$/.exec(line)?.[1] ?? '';
      if (host) break;
    }
    expect(host).not.toBe('');
  });
  afterAll(async () => {
    gateway.kill('SIGTERM');
    await once(gateway, 'exit');
    rmSync(dataDir, { recursive: true, force: true });
  });

  const blocksFor = (path: string) =>
    blocksOf(path)
      .filter((block) => !NOT_RUN.test(block))
      .map((block) => block.replaceAll(ADDRESS, host).replaceAll('/tmp/', `${dataDir}/`));

  /** Pastes text into a shell and ends it. Answers what it prints to standard output, prompts and echo apart. */
  async function run(shell: string, options: string[], text: string): Promise<string> {
    const child = spawn(shell, options, {
      cwd: root,
      env: environment,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    let [said, complaints] = ['', ''];
    child.stdout.on('data', (chunk) => {
      said += chunk;
      // Enough of what does not end by itself.
      if (ENDLESS.test(text) && said.includes('FeedCaughtUp')) process.kill(-(child.pid as number), 'SIGKILL');
    });
    child.stderr.on('data', (chunk) => {
      complaints += chunk;
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(`${text}\nexit\n`);
    await once(child, 'close');
    expect(complaints).not.toMatch(/command not found|no matches found|event not found|parse error|syntax error/);
    return said;
  }

  describe.each(shells)('in %s', (shell, options) => {
    const has = isThere(shell);
    if (!has) console.warn(`SKIPPED: ${shell} is not on this machine.`);
    const testHere = has ? test : test.skip;
    const paste = (text: string, first = QUICK_NPM) => run(shell, options, first + text);
    const session = (path: string) =>
      paste(
        blocksFor(path)
          .filter((block) => !ENDLESS.test(block))
          .map((block) => `${block}echo; echo '= done'`)
          .join('\n'),
        shell === 'bash' && path === 'README.md' ? '' : QUICK_NPM,
      ).then((said) => said.split('= done'));

    testHere('README’s session with curl does what it says', async () => {
      const [, found, bought, revealed, cancelled, log] = await session('README.md');
      expect(found).toMatch(
        /"companyName":"Contoso","market":\{"name":"United States"\},"software":\{"totalCount" ?: ?\d+\}/,
      );
      const [, total = ''] = /"total":\{"amount":"([\d.]+)","currency":"USD"\}/.exec(bought ?? '') ?? [];
      expect(bought).toContain('"__typename":"PurchaseSuccess"');
      expect(revealed).toMatch(/"productKey":"\w{5}(-\w{5}){4}"/);
      expect(cancelled).toContain(`"allowed":true,"daysLeft":30,"credit":{"amount":"${total}","currency":"USD"}`);
      expect(cancelled).toContain(`USD × 2 = ${total}"`);
      expect(cancelled).toContain('"cancelOrder":{"cancellation":{"status":"PENDING"}}');
      const [, answer = '{}'] = /(\{"data".*?\}\]\}\}\})/.exec(log ?? '') ?? [];
      const { nodes } = JSON.parse(answer).data.activity;
      expect(nodes).toHaveLength(5);
      // Confirmations come when they are due, this one's and those of the demonstration data.
      const actions = nodes.map(({ action }: { action: string }) => action);
      const own = actions.filter((action: string) => action !== 'CANCELLATION_CONFIRMED').slice(0, 3);
      expect(own).toEqual(['CANCELLATION_REQUESTED', 'PRODUCT_KEY_REVEALED', 'ORDER_CONFIRMED'].slice(0, own.length));
      expect(log).toMatch(/,PRODUCT_KEY_REVEALED,SUCCEEDED,agent\.anna@partner\.example,ADMIN_AGENT,/);
    });

    testHere('the contract’s examples answer as they say', async () => {
      const [problem, refused, tag, explained] = await session('docs/clients.md');
      expect(problem).toContain('"__typename":"OrderNotFound","code":"ORDER_NOT_FOUND"');
      expect(refused?.match(/"contact":null/g)).toHaveLength(2);
      expect(refused?.match(/"code":"FORBIDDEN"/g)).toHaveLength(1);
      expect(refused).toContain('"coordinate":"Customer.contact"');
      expect(tag).toContain('304');
      expect(explained?.match(/"path":"compiled"/g)).toHaveLength(2);
      expect(explained).toContain('"path":"compiled","document":"known","statements":1');
    });

    testHere('an export is held against its seals', async () => {
      const blocks = blocksFor('docs/operating.md').filter((block) => block.includes('verify-log'));
      const said = await paste(blocks.join('\n'));
      expect(said.match(/The log is what was sealed\.\s+\d{4,} lines as exported/g)).toHaveLength(2);
    });

    testHere.each(['README.md', 'docs/clients.md'])('what follows the feed in %s catches up', async (path) => {
      const [follow] = blocksFor(path).filter((block) => ENDLESS.test(block));
      expect(await paste(follow as string)).toContain('FeedCaughtUp');
    });
  });
});
