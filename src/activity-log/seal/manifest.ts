import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Bytes of a line's hash in a manifest: SHA-256 cut to 96 bits, which is 16 characters of base64url. */
export const LINE_BYTES = 12;

/** The hash by which a manifest knows a line, its line feed included. */
export function lineHash(line: string | Uint8Array): Buffer {
  return createHash('sha256').update(line).digest().subarray(0, LINE_BYTES);
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What `?manifest=1` says of a `.jsonl` export. */
export const manifestForm = z.object({
  format: z.literal('jsonl', { error: 'is of a CSV export; check that with sha256sum' }),
  /** Hashes of the lines, joined. */
  lines: z.string().regex(/^(?:[\w-]{16})*$/),
  count: z.int().min(0),
  sha256,
  /** Only of an export of the whole log: seals that close nothing else. */
  seals: z.array(z.object({ number: z.int(), entries: z.int().positive(), hash: sha256 })).optional(),
});
export type Manifest = z.infer<typeof manifestForm>;
