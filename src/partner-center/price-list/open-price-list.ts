import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { PriceListRefused } from './price-list-columns.js';
import { withoutStop } from './shown-text.js';

/** The bytes of a price list, taken out of the zip where it is in one. */
export interface OpenPriceList {
  stream: Readable;
  /** How many bytes the stream will give. */
  totalBytes: number;
  /** Lets go of the file; to be called once the stream is done with. */
  close: () => void;
}

/** How a zip starts: with an entry, or without any. */
const ZIP_STARTS = ['PK\u0003\u0004', 'PK\u0005\u0006'];

/** What a zip may say that its price list unpacks to. The largest real sheets have tens of megabytes. */
const MAX_UNZIPPED_BYTES = 1024 ** 3;

/**
 * Opens a price list, plain or zipped; which of the two is told by the file's first bytes.
 * @throws {PriceListRefused} where it cannot be opened, or the zip does not hold exactly one `.csv`
 */
export async function openPriceList(path: string): Promise<OpenPriceList> {
  const { totalBytes, isZip } = await inspect(path);
  if (totalBytes === 0) throw new PriceListRefused('The file is empty.');
  if (isZip) return openZipped(path);
  const stream = createReadStream(path);
  return { stream, totalBytes, close: () => stream.destroy() };
}

async function inspect(path: string): Promise<{ totalBytes: number; isZip: boolean }> {
  const file = await open(path).catch((error: Error) => {
    throw new PriceListRefused(`The file cannot be opened: ${withoutStop(error.message)}.`);
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new PriceListRefused(`${path} is not a file.`);
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return { totalBytes: facts.size, isZip: ZIP_STARTS.includes(buffer.toString('latin1')) };
  } finally {
    await file.close();
  }
}

async function openZipped(path: string): Promise<OpenPriceList> {
  const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false }).catch(refuseZip);
  try {
    const entry = await onlyPriceList(zip);
    const stream = await zip.openReadStreamPromise(entry);
    return { stream, totalBytes: entry.uncompressedSize, close: () => zip.close() };
  } catch (error) {
    zip.close();
    return error instanceof PriceListRefused ? Promise.reject(error) : refuseZip(error as Error);
  }
}

async function onlyPriceList(zip: yauzl.ZipFile): Promise<yauzl.Entry> {
  const lists: yauzl.Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    // A Mac adds a folder of its own with a shadow of every file.
    if (/\.csv$/i.test(entry.fileName) && !entry.fileName.startsWith('__MACOSX/')) lists.push(entry);
    if (lists.length > 1) throw new PriceListRefused('The zip holds more than one .csv; import them one by one.');
  }
  const [entry] = lists;
  if (!entry) throw new PriceListRefused('The zip holds no .csv.');
  if (entry.isEncrypted()) throw new PriceListRefused('The zip is encrypted; unpack it first.');
  if (entry.uncompressedSize > MAX_UNZIPPED_BYTES) {
    throw new PriceListRefused(
      `${entry.fileName} would unpack to ${entry.uncompressedSize} bytes; more than 1 GiB is refused.`,
    );
  }
  return entry;
}

function refuseZip(error: Error): never {
  throw new PriceListRefused(`The zip cannot be read: ${withoutStop(error.message)}.`);
}
