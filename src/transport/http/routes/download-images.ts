import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import type { Config } from '../../../config/config.js';
import type { Download } from '../../../modules/entitlements/download-software.js';
import { type Content, contentOf } from '../send-content.js';
import { DownloadStore, type StoredImage } from './download-store.js';

/** An installation image: bytes that the gateway sends, or what a store sends. */
export type Image = { kind: 'content'; content: Content } | StoredImage;

/** There is no such image now. The message is for the operator's log. */
export class ImageMissing extends Error {
  override name = 'ImageMissing';
}

/** Finds the image of a download. @throws {ImageMissing} */
export type FindImage = (download: Download) => Promise<Image>;

/** Where the settings have images: in a folder, in a store; where in neither, a text stands for one. */
export function imageFinder({ downloadsDir, downloadsStore }: Config): FindImage {
  if (downloadsStore) {
    const store = new DownloadStore(downloadsStore);
    return async (download) => {
      const found = await store.find(pathOf(download));
      if (typeof found === 'string') throw new ImageMissing(`DOWNLOADS_STORE_URL: ${pathOf(download)}: ${found}`);
      return found;
    };
  }
  return downloadsDir === null ? demonstrationImage : (download) => imageOfFolder(downloadsDir, pathOf(download));
}

/** Where an image lies in the folder or the store. */
const pathOf = ({ productId, skuId, version, language, architecture, artifact }: Download) =>
  artifact === null
    ? [productId, skuId, version, language, architecture].join('/')
    : artifact.replaceAll('{language}', () => language).replaceAll('{architecture}', () => architecture);

async function imageOfFolder(folder: string, name: string): Promise<Image> {
  const path = resolve(join(folder, name));
  const file = path.startsWith(folder + sep) ? await stat(path, { bigint: true }).catch(() => null) : null;
  if (!file?.isFile() || file.size === 0n) throw new ImageMissing(`DOWNLOADS_DIR has no ${name}`);
  const content: Content = {
    size: Number(file.size),
    // Another file in its place has another tag, and so has the same one written again.
    etag: `"${[file.size, file.mtimeNs, file.ino].map((part) => part.toString(36)).join('-')}"`,
    modified: file.mtime,
    open: (start, end) => createReadStream(path, { start, end }),
  };
  return { kind: 'content', content };
}

/** A text that says it stands for an installation image. */
async function demonstrationImage({ title, version, language, architecture }: Download): Promise<Image> {
  const bytes = Buffer.from(
    `Demonstration image. Set DOWNLOADS_DIR or DOWNLOADS_STORE_URL to serve real ones.\n${title}\nversion ${version}, ${language}, ${architecture}\n`,
  );
  const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
  return { kind: 'content', content: contentOf(bytes, etag, null) };
}
