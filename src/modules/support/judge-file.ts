import { setImmediate } from 'node:timers/promises';
import { fileTypeFromBuffer } from 'file-type';

/** Media types that support reads, with what names of such files end in; the first one is given to names that lack it. */
const endings: Record<string, readonly string[]> = {
  'application/pdf': ['pdf'],
  'image/png': ['png'],
  'image/jpeg': ['jpg', 'jpeg'],
  'text/plain': ['txt'],
  'text/csv': ['csv'],
};
export const ACCEPTED_CONTENT_TYPES: readonly string[] = Object.keys(endings);

/** What browsers call files of these types besides: Windows calls a CSV by the program that opens it. */
const OTHER_LABELS: readonly string[] = [
  '',
  'application/octet-stream',
  'application/vnd.ms-excel',
  'application/csv',
  'text/x-csv',
  'text/comma-separated-values',
  'image/jpg',
  'image/pjpeg',
  'application/x-pdf',
];
/** Labels by which a file is no text: one that is text all the same is something else than it says. */
const NO_TEXT = /^image\/|pdf$/;
const NAME_CHARACTERS = 200;
/** What is not seen either and stays: it joins letters and emoji, or says which form a sign has. */
const JOINERS: ReadonlySet<string> = new Set(['\u200c', '\u200d', '\ufe0e', '\ufe0f']);
/** What a ZIP archive ends with, and what its list of files, right before that, begins with. */
const ZIP_END = Buffer.from('PK\x05\x06', 'latin1');
const ZIP_END_BYTES = 22;
const ZIP_LIST = Buffer.from('PK\x01\x02', 'latin1');
/** What other archives begin with, which unpackers look for anywhere: 7z and RAR. */
const ARCHIVES = [Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), Buffer.from('Rar!\x1a\x07', 'latin1')];
/** Text that is looked at without a pause: a fraction of a millisecond of the event loop. */
const SLICE_BYTES = 64 * 1024;

/** A file as it came: its label and its name are its sender's. */
export interface SentFile {
  name: string;
  contentType: string;
  content: Buffer;
}

/**
 * A file with the type that its content is of, and a name that says so; or in words why it is none that support reads.
 * The browser's label decides between kinds of text alone, which no content tells apart.
 * @param turn resolves when the next piece of it may be looked at, so that others are answered meanwhile
 */
export async function judgeFile(
  { name, contentType, content }: SentFile,
  turn: () => Promise<void> = setImmediate,
): Promise<SentFile | string> {
  const label = contentType.toLowerCase();
  if (!ACCEPTED_CONTENT_TYPES.includes(label) && !OTHER_LABELS.includes(label)) return `${label} is not accepted`;
  const judged = (await fileTypeFromBuffer(content))?.mime;
  if (judged !== undefined && ACCEPTED_CONTENT_TYPES.includes(judged)) {
    if (holdsArchive(content)) return `its content is ${judged} and an archive as well`;
    return { name: fileName(name, judged), contentType: judged, content };
  }
  // Text is asked for first: a table may begin with "BM", as pictures of Windows do.
  if (!(await isText(content, turn)))
    return judged ? `its content is ${judged}` : 'its content is no text in UTF-8: save a table as "CSV UTF-8"';
  if (content.subarray(0, 2).toString() === '#!') return 'its content is a program';
  if (NO_TEXT.test(label)) return `its content is text and not ${label}`;
  const isCsv = /csv|excel/.test(label) || (label !== 'text/plain' && /\.csv$/i.test(name));
  const type = isCsv ? 'text/csv' : 'text/plain';
  return { name: fileName(name, type), contentType: type, content };
}

/** Whether content is text in UTF-8, without characters that are not shown. */
async function isText(content: Buffer, turn: () => Promise<void>): Promise<boolean> {
  // Letters may be cut in two by the end of a slice: the decoder joins them.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for (let at = 0; at < content.length; at += SLICE_BYTES) {
      await turn();
      const text = decoder.decode(content.subarray(at, at + SLICE_BYTES), { stream: true });
      if (/[\0-\x08\x0b\x0e-\x1f\x7f]/.test(text)) return false;
    }
    decoder.decode();
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** Whether unpackers find an archive in it: one may stand behind anything, and anything behind it. */
function holdsArchive(content: Buffer): boolean {
  if (ARCHIVES.some((archive) => content.includes(archive))) return true;
  for (let at = content.indexOf(ZIP_END); at >= 0; at = content.indexOf(ZIP_END, at + 1)) {
    if (at + ZIP_END_BYTES > content.length) return false;
    const list = at - content.readUInt32LE(at + 12);
    // A picture may hold these four bytes by chance.
    if (list === at || (list >= 0 && content.subarray(list, list + ZIP_LIST.length).equals(ZIP_LIST))) return true;
  }
  return false;
}

/**
 * A name that is shown as it is, leads nowhere, and ends in what the file is: no system runs it for its name. Left out is
 * what is not seen, or turns around what is; joiners of letters and emoji stay.
 */
function fileName(name: string, type: string): string {
  // Many times what is kept of it: what follows takes the square of a long one.
  const plain = name
    .slice(0, 10 * NAME_CHARACTERS)
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}/\\:*?"<>|]/gu, '_')
    .replace(/[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu, (unseen: string) =>
      JOINERS.has(unseen) ? unseen : '',
    )
    .replace(/^[\s.]+/, (start: string) => '_'.repeat(start.length))
    .replace(/[\s.]+$/, '');
  const known = endings[type] as readonly string[];
  const [, stem = plain, ending = ''] = /^(.+)\.([^.]+)$/.exec(plain) ?? [];
  const fits = known.includes(ending.toLowerCase());
  const suffix = `.${fits ? ending : known[0]}`;
  const kept = [...((fits ? stem : plain) || 'file')].slice(0, NAME_CHARACTERS - suffix.length).join('');
  // A device of Windows, whatever follows it.
  const isDevice = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³])\s*(\.|$)/i.test(kept);
  return `${isDevice ? '_' : ''}${kept}${suffix}`;
}
