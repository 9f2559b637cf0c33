import { AwsClient } from 'aws4fetch';
import type { DownloadStoreConfig } from '../../../config/config.js';

/** Seconds in which a download from the store must begin. */
const ADDRESS_SECONDS = 300;
const ANSWER_MS = 5_000;

/** An image of a store, which sends it itself. */
export interface StoredImage {
  kind: 'stored';
  size: number;
  etag: string | null;
  modified: Date | null;
  /** Makes an address of the store that whoever has it can download from for a while. */
  address(fileName: string): Promise<string>;
}

/** An S3-compatible store of installation images. */
export class DownloadStore {
  private readonly client: AwsClient;
  private readonly base: string;

  constructor({ url, region, accessKeyId, secretAccessKey }: DownloadStoreConfig) {
    this.client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 1 });
    this.base = url;
  }

  /** Looks for an object. @returns why there is none to be had, in words without a secret */
  async find(path: string): Promise<StoredImage | string> {
    const address = `${this.base}/${path.split('/').map(encodeURIComponent).join('/')}`;
    const answer = await this.client
      .fetch(address, { method: 'HEAD', signal: AbortSignal.timeout(ANSWER_MS) })
      .catch((error: Error) => error);
    if (answer instanceof Error) return `the store is out of reach (${answer.name})`;
    if (!answer.ok) return `the store answered ${answer.status}`;
    const { headers } = answer;
    const modified = headers.get('last-modified');
    return {
      kind: 'stored',
      size: Number(headers.get('content-length') ?? 0),
      etag: headers.get('etag'),
      modified: modified === null ? null : new Date(modified),
      address: async (fileName) => {
        const signed = new URL(address);
        signed.searchParams.set('X-Amz-Expires', String(ADDRESS_SECONDS));
        signed.searchParams.set('response-content-disposition', `attachment; filename="${fileName}"`);
        signed.searchParams.set('response-content-type', 'application/octet-stream');
        const { url } = await this.client.sign(signed, { method: 'GET', aws: { signQuery: true } });
        return url;
      },
    };
  }
}
