/** Who judges files before anybody may download them: a program, or a service over HTTP. */
export type FileScanner = { kind: 'command'; command: string; args: readonly string[] } | { kind: 'http'; url: string };

/** How files are judged. */
export interface FileScanConfig {
  scanner: FileScanner;
  /** How long the scanner may take for one file. */
  timeoutMs: number;
}

/** What a scanner must look like. */
export const SCANNER_FORM =
  'must be a program by its whole path with its arguments behind blanks, such as /usr/bin/clamdscan --no-summary -, or an http(s) address without user and password';

/** The scanner that a setting names; null where it names none. */
export function fileScannerOf(text: string): FileScanner | null {
  if (/^https?:/i.test(text)) {
    if (!URL.canParse(text)) return null;
    const { username, password } = new URL(text);
    return username === '' && password === '' ? { kind: 'http', url: text } : null;
  }
  const [command = '', ...args] = text.trim().split(/\s+/);
  return command.startsWith('/') ? { kind: 'command', command, args } : null;
}
