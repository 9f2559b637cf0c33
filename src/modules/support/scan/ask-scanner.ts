import { spawn } from 'node:child_process';
import { z } from 'zod';
import { boundedText } from '../../../lib/bounded-text.js';
import { ScanVerdict } from '../support-request.entity.js';

/** Who judges files, and how long that may take for one: `SUPPORT_FILE_SCAN`. */
export interface ScanOptions {
  scanner: { kind: 'command'; command: string; args: readonly string[] } | { kind: 'http'; url: string };
  timeoutMs: number;
}

/** A file as a scanner is handed it. */
export interface ScannedFile {
  name: string;
  contentType: string;
  sha256: string;
  content: Buffer;
}

/** What a scanner found. */
export type Finding = { verdict: 'CLEAN' } | { verdict: 'REFUSED'; reason: string };

/** Exit codes of a program: those of ClamAV. */
const [CLEAN, INFECTED] = [0, 1];
/** What is kept of a program's or a service's words. */
const REASON_CHARACTERS = 500;
const ANSWER_BYTES = 64 * 1024;

const answerForm = z.object({ clean: z.boolean(), reason: z.string().optional() });

/**
 * Has a file judged. Whoever has no answer to give makes it throw: a file that nobody has judged is not clean.
 * @throws Error where there is no verdict: it is asked again later
 */
export function askScanner({ scanner, timeoutMs }: ScanOptions, file: ScannedFile): Promise<Finding> {
  return scanner.kind === 'command'
    ? askCommand(scanner.command, scanner.args, file, timeoutMs)
    : askService(scanner.url, file, timeoutMs);
}

/** A program has the content on its standard input, and exits with 0 for a clean file, with 1 for one that it refuses. */
function askCommand(
  command: string,
  args: readonly string[],
  { content }: ScannedFile,
  timeoutMs: number,
): Promise<Finding> {
  return new Promise((resolve, reject) => {
    // Nothing of the gateway's environment: its secrets are in it.
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: '/usr/bin:/bin' } });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const said = { out: '', err: '' };
    const take = (channel: 'out' | 'err') => (chunk: Buffer) => {
      if (said[channel].length < ANSWER_BYTES) said[channel] += chunk.toString('utf8');
    };
    child.stdout.on('data', take('out'));
    child.stderr.on('data', take('err'));
    // A program may have seen enough before the end.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (isLate) reject(new Error(`the scanner did not answer for ${timeoutMs} ms`));
      else if (code === CLEAN) resolve({ verdict: ScanVerdict.CLEAN });
      else if (code === INFECTED) resolve({ verdict: ScanVerdict.REFUSED, reason: reasonOf(said.out) });
      else reject(new Error(`the scanner exited with ${code}: ${reasonOf(said.err, 'it said nothing')}`));
    });
    child.stdin.end(content);
  });
}

/** A service has the content POSTed, and answers 2xx with `{"clean": true}` or `{"clean": false, "reason": "…"}`. */
async function askService(url: string, file: ScannedFile, timeoutMs: number): Promise<Finding> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/octet-stream',
      'x-file-name': encodeURIComponent(file.name),
      'x-file-type': file.contentType,
      'x-file-sha256': file.sha256,
    },
    body: new Uint8Array(file.content),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await boundedText(response, ANSWER_BYTES);
  if (!response.ok) throw new Error(`the scanner answered ${response.status}`);
  const { clean, reason } = answerForm.parse(JSON.parse(text));
  return clean ? { verdict: ScanVerdict.CLEAN } : { verdict: ScanVerdict.REFUSED, reason: reasonOf(reason ?? '') };
}

/** The first line of what was said, as people may be shown it. */
function reasonOf(said: string, otherwise = 'The scanner refused it, and gave no reason.'): string {
  const [line = ''] = said.trim().split(/[\r\n\p{Zl}\p{Zp}]/u);
  const shown = line.replace(/[\p{Cc}\p{Cf}]/gu, '').trim();
  return [...shown].slice(0, REASON_CHARACTERS).join('') || otherwise;
}
