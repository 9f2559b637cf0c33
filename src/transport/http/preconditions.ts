import type { FastifyRequest } from 'fastify';
import { parse } from 'range-parser';

/** Bytes of a content, both ends included. */
export interface ByteRange {
  start: number;
  end: number;
}

/** What a request for content is answered, by its conditions and ranges. */
export type Asked = 'FAILED' | 'NOT_MODIFIED' | 'NOT_SATISFIABLE' | 'WHOLE' | ByteRange;

const tagsOf = (header: string | undefined) => header?.split(',').map((one) => one.trim());

/**
 * What is asked of a content with a strong tag (RFC 9110, 13.2.2 and 14.2). A range that cannot be read, several of them,
 * and one of another content (`If-Range`) are answered with the whole.
 * @param etag with its quotes
 * @param size bytes of the whole, at least one
 * @param modified when it was last another one, for clients that go by that (`If-Range`); null: nobody may
 */
export function askedOf(
  { headers, method }: FastifyRequest,
  etag: string,
  size: number,
  modified: Date | null = null,
): Asked {
  const mustMatch = tagsOf(headers['if-match']);
  if (mustMatch && !mustMatch.some((tag) => tag === '*' || tag === etag)) return 'FAILED';
  const known = tagsOf(headers['if-none-match']);
  if (known?.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) return 'NOT_MODIFIED';
  const { range } = headers;
  if (method !== 'GET' || range === undefined) return 'WHOLE';
  const ifRange = headers['if-range'];
  if (ifRange !== undefined && ifRange !== etag && ifRange !== modified?.toUTCString()) return 'WHOLE';
  const { code, type, ranges } = parse(size, range);
  if (type !== 'bytes' || code & 1) return 'WHOLE';
  if (ranges.length === 0) return 'NOT_SATISFIABLE';
  return ranges.length === 1 ? (ranges[0] as ByteRange) : 'WHOLE';
}
