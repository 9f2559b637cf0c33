import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DocumentNode, type GraphQLError, Kind, parse, print, Source, separateOperations } from 'graphql';
import { z } from 'zod';
import { limits } from '../graphql/limits.js';
import { hashOf } from './documents.js';

/** A document as a file holds it. */
export interface FiledDocument {
  file: string;
  /** What clients send in its place: as the manifest has it; of a file of GraphQL, the SHA-256 of its text in hex. */
  id: string;
  /** The names of its operations. */
  name: string;
  /** What runs for its id. */
  text: string;
  /** As it stands in the file: its nodes know their lines. */
  document: DocumentNode;
}

/** What is wrong with a document, or with a file of them. */
export interface DocumentProblem {
  file: string;
  id: string | null;
  name: string | null;
  /** Line and column, of the file or, in a manifest, of the document's text; null: it is about the whole. */
  at: { line: number; column: number } | null;
  reason: string;
}

/** What files hold, and what of them cannot be read. */
export interface DocumentFiles {
  documents: FiledDocument[];
  problems: DocumentProblem[];
}

/** What a manifest holds: the texts by id, as GraphQL Code Generator and Relay write it, or Apollo's list. */
const manifestForm = z.union([
  z
    .object({
      format: z.literal('apollo-persisted-query-manifest'),
      version: z.literal(1),
      operations: z.array(z.object({ id: z.string().min(1), body: z.string() })),
    })
    .transform(({ operations }) => operations.map(({ id, body }): [string, string] => [id, body])),
  z.record(z.string().min(1), z.string()).transform((texts) => Object.entries(texts)),
]);
const NO_MANIFEST =
  'It is no manifest of persisted documents: those are an object of texts by id, or of the format apollo-persisted-query-manifest, version 1.';

/**
 * Reads documents of files and folders: GraphQL (`.graphql`, `.gql`), each operation with the fragments that it uses, of
 * whichever file of the folder; and manifests (`.json`).
 */
export function readDocumentFiles(paths: readonly string[]): DocumentFiles {
  return together(paths.map(readPath));
}

const together = (parts: readonly DocumentFiles[]): DocumentFiles => ({
  documents: parts.flatMap(({ documents }) => documents),
  problems: parts.flatMap(({ problems }) => problems),
});

const broken = (file: string, reason: string): DocumentFiles => ({
  documents: [],
  problems: [{ file, id: null, name: null, at: null, reason }],
});

function readPath(path: string): DocumentFiles {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return broken(path, 'There is no such file or folder.');
  const names = found.isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }).sort() : [];
  const files = found.isDirectory() ? names.map((name) => join(path, name)) : [path];
  const read = together([
    readGraphql(files.filter((file) => /\.(graphql|gql)$/.test(file))),
    ...files.filter((file) => file.endsWith('.json')).map(readManifest),
  ]);
  const isEmpty = read.documents.length === 0 && read.problems.length === 0;
  return isEmpty ? broken(path, 'There is no operation in it, as .graphql or as a manifest (.json).') : read;
}

/** The operations of files that share their fragments. */
function readGraphql(files: readonly string[]): DocumentFiles {
  const parsed = files.map((file) => parseText({ file, id: null, text: readFileSync(file, 'utf8') }));
  const definitions = parsed.flatMap(({ document }) => document?.definitions ?? []);
  const fragments = definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  const documents = definitions.flatMap((operation) => {
    if (operation.kind !== Kind.OPERATION_DEFINITION) return [];
    const whole: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] };
    // One operation, so one document: it and the fragments that it uses.
    const [document = whole] = Object.values(separateOperations(whole));
    const text = print(document);
    const file = operation.loc?.source.name ?? '';
    return [{ file, id: hashOf(text), name: operation.name?.value ?? '', text, document }];
  });
  return { documents, problems: parsed.flatMap(({ problem }) => problem ?? []) };
}

function readManifest(file: string): DocumentFiles {
  const manifest = manifestForm.safeParse(parseJson(readFileSync(file, 'utf8')));
  if (!manifest.success) return broken(file, NO_MANIFEST);
  return together(
    manifest.data.map(([id, text]) => {
      const { document, problem } = parseText({ file, id, text });
      if (!document) return { documents: [], problems: [problem] };
      const [, hash] = /^sha256:(.*)$/.exec(id) ?? [];
      const problems: DocumentProblem[] =
        hash === undefined || hash === hashOf(text)
          ? []
          : [{ file, id, name: namesOf(document), at: null, reason: 'The id is not the SHA-256 of the text.' }];
      return { documents: [{ file, id, name: namesOf(document), text, document }], problems };
    }),
  );
}

type Parsed = { document: DocumentNode; problem?: never } | { document?: never; problem: DocumentProblem };

function parseText({ file, id, text }: { file: string; id: string | null; text: string }): Parsed {
  try {
    return { document: parse(new Source(text, file), { maxTokens: limits.tokens }) };
  } catch (error) {
    const { message, locations } = error as GraphQLError;
    return { problem: { file, id, name: null, at: locations?.[0] ?? null, reason: message } };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function namesOf({ definitions }: DocumentNode): string {
  return definitions
    .flatMap((one) => (one.kind === Kind.OPERATION_DEFINITION && one.name ? [one.name.value] : []))
    .join(', ');
}
