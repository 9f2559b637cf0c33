import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import yauzl from 'yauzl';
import { FileRefused } from './file-refused.js';
import { withoutStop } from './shown-text.js';

/** Hears how many bytes of a file were read, and of how many. */
export type Progress = (bytes: number, totalBytes: number) => void;

/** The bytes of a file, unpacked where it is packed. */
export interface OpenFile {
  stream: Readable;
  /** Lets go of the file; to be called once the stream is done with. */
  close: () => void;
}

/** How a zip starts: with an entry, or without any. */
const ZIP_STARTS = ['PK\u0003\u0004', 'PK\u0005\u0006'];
const GZIP_START = '\u001f\u008b';

/** What a zip may say that its file unpacks to. The largest real sheets have tens of megabytes. */
const MAX_UNZIPPED_BYTES = 1024 ** 3;

/**
 * Opens a file, plain, zipped or gzipped; which of them is told by its first bytes.
 * @param name what it is to be called in a zip
 * @throws {FileRefused} where it cannot be opened, or the zip does not hold exactly one such file
 */
export async function openFile(path: string, onProgress?: Progress, name = /\.csv$/i): Promise<OpenFile> {
  const { totalBytes, start } = await inspect(path);
  if (totalBytes === 0) throw new FileRefused('The file is empty.');
  if (ZIP_STARTS.includes(start)) return openZipped(path, onProgress, name);
  const stream = createReadStream(path);
  const counted = count(stream, totalBytes, onProgress);
  const unpacked = start.startsWith(GZIP_START) ? forward(counted, createGunzip()) : counted;
  return { stream: unpacked, close: () => stream.destroy() };
}

async function inspect(path: string): Promise<{ totalBytes: number; start: string }> {
  const file = await open(path).catch((error: Error) => {
    throw new FileRefused(`The file cannot be opened: ${withoutStop(error.message)}.`);
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new FileRefused(`${path} is not a file.`);
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return { totalBytes: facts.size, start: buffer.toString('latin1') };
  } finally {
    await file.close();
  }
}

/** Counts the bytes that pass. */
function count(source: Readable, totalBytes: number, onProgress?: Progress): Readable {
  let bytes = 0;
  return forward(
    source,
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        onProgress?.(bytes, totalBytes);
        done(null, chunk);
      },
    }),
  );
}

/** Pipes, and hands errors on. */
function forward<Target extends Transform>(source: Readable, target: Target): Target {
  source.on('error', (error) => target.destroy(error));
  target.on('close', () => source.destroy());
  return source.pipe(target);
}

async function openZipped(path: string, onProgress: Progress | undefined, name: RegExp): Promise<OpenFile> {
  const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false }).catch(refuseZip);
  try {
    const entry = await onlyFile(zip, name);
    const stream = await zip.openReadStreamPromise(entry);
    return { stream: count(stream, entry.uncompressedSize, onProgress), close: () => zip.close() };
  } catch (error) {
    zip.close();
    return error instanceof FileRefused ? Promise.reject(error) : refuseZip(error as Error);
  }
}

async function onlyFile(zip: yauzl.ZipFile, name: RegExp): Promise<yauzl.Entry> {
  const files: yauzl.Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    // A Mac adds a folder of its own with a shadow of every file.
    if (name.test(entry.fileName) && !entry.fileName.startsWith('__MACOSX/')) files.push(entry);
    if (files.length > 1) throw new FileRefused('The zip holds more than one .csv; import them one by one.');
  }
  const [entry] = files;
  if (!entry) throw new FileRefused('The zip holds no .csv.');
  if (entry.isEncrypted()) throw new FileRefused('The zip is encrypted; unpack it first.');
  if (entry.uncompressedSize > MAX_UNZIPPED_BYTES) {
    throw new FileRefused(
      `${entry.fileName} would unpack to ${entry.uncompressedSize} bytes; more than 1 GiB is refused.`,
    );
  }
  return entry;
}

function refuseZip(error: Error): never {
  throw new FileRefused(`The zip cannot be read: ${withoutStop(error.message)}.`);
}
