import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { checkDocument, type DocumentFinding } from '../execution/check-documents.js';
import { type DocumentProblem, readDocumentFiles } from '../execution/document-files.js';
import { hashOf } from '../execution/documents.js';
import { projectFile } from '../lib/project-file.js';
import { CommandRefused, runCommand, UsageError } from './run-command.js';

const USAGE = `Compares documents of front ends with the schema, lists them, or writes a manifest of them.

  npm run documents -- check [--manifest PATH …] [--schema FILE] [--format text|json]
  npm run --silent documents -- list [--manifest PATH …] [--format text|json]
  npm run documents -- write FILE [--manifest PATH …]

  check            names what would break: file, line, operation, field and reason; and what is deprecated
  list             prints the id, the SHA-256 and the name of each document
  write FILE       writes a manifest as GraphQL Code Generator does: an object of texts by id
  --manifest PATH  a .graphql file, a manifest (of the code generator, Relay or Apollo) or a folder of them; several may
                   be given; schema/operations where there is none
  --schema FILE    a newer SDL to compare with; without it schema/schema.graphql. Fields whose type is another than in
                   schema/schema.graphql break too
  --format         text (default) or json

Exits with 0, with 1 where something would break, with 2 when called wrongly.`;

const ACTIONS = ['check', 'list', 'write'] as const;
const FORMATS = ['text', 'json'];

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      manifest: { type: 'string', multiple: true, default: [] },
      schema: { type: 'string' },
      format: { type: 'string', default: 'text' },
    },
  });
  const [action, target, ...others] = positionals;
  if (!ACTIONS.includes(action as (typeof ACTIONS)[number]))
    throw new UsageError(action === undefined ? 'What is to be done?' : `There is no ${action}.`);
  if ((target !== undefined) !== (action === 'write') || others.length > 0)
    throw new UsageError(action === 'write' ? 'Write into which file?' : `${action} takes no file but by --manifest.`);
  if (values.schema !== undefined && action !== 'check') throw new UsageError('--schema is for check.');
  if (!FORMATS.includes(values.format)) throw new UsageError(`--format ${values.format}: must be text or json.`);
  const manifests = values.manifest.length > 0 ? values.manifest : [relative('', projectFile('schema/operations'))];
  for (const path of [...manifests, ...(values.schema === undefined ? [] : [values.schema])])
    if (!existsSync(path)) throw new UsageError(`There is no ${path}.`);
  return { action, target, manifests, schema: values.schema, isJson: values.format === 'json' };
}

function schemaOf(file: string): GraphQLSchema {
  try {
    return buildSchema(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CommandRefused(`${file} is no schema: ${(error as Error).message}`);
  }
}

/** What is wrong with a document, on a line that editors find their way by. */
function textOf({ file, at, name, id, field, reason, severity }: DocumentFinding): string {
  const place = at ? `${file}:${at.line}:${at.column}` : file;
  const what = [name || id, field].filter(Boolean).join(' › ');
  return `${place}  ${severity}  ${what && `${what}: `}${reason}`;
}

const unread = (problem: DocumentProblem): DocumentFinding => ({ ...problem, field: '', severity: 'breaking' });

/** Answers the exit code. */
function check({ manifests, schema, isJson }: ReturnType<typeof readArguments>): number {
  const committed = schemaOf(projectFile('schema/schema.graphql'));
  const compared = schema === undefined ? committed : schemaOf(schema);
  const { documents, problems } = readDocumentFiles(manifests);
  const findings = [
    ...problems.map(unread),
    ...documents.flatMap((document) => checkDocument(compared, document, committed)),
  ];
  const breaking = findings.filter(({ severity }) => severity === 'breaking').length;
  if (isJson) console.log(JSON.stringify(findings, null, 2));
  else {
    for (const finding of findings) console.log(textOf(finding));
    const deprecated = findings.length - breaking;
    console.log(`${documents.length} documents: ${breaking} things would break, ${deprecated} are deprecated`);
  }
  return breaking > 0 ? 1 : 0;
}

/** The documents of readable files. @throws {CommandRefused} */
function readable(manifests: readonly string[]) {
  const { documents, problems } = readDocumentFiles(manifests);
  if (problems.length > 0) throw new CommandRefused(problems.map((problem) => textOf(unread(problem))).join('\n'));
  return documents;
}

function list({ manifests, isJson }: ReturnType<typeof readArguments>): void {
  const listed = readable(manifests).map(({ file, id, name, text }) => ({ id, sha256: hashOf(text), name, file }));
  if (isJson) console.log(JSON.stringify(listed, null, 2));
  else for (const { id, sha256, name } of listed) console.log([id, sha256, name].join('\t'));
}

function write(file: string, manifests: readonly string[]): void {
  const documents = readable(manifests);
  const texts = Object.fromEntries(documents.map(({ id, text }) => [id, text]));
  writeFileSync(file, `${JSON.stringify(texts, null, 2)}\n`);
  console.log(`wrote ${Object.keys(texts).length} documents into ${file}`);
}

async function main(): Promise<number | undefined> {
  const given = readArguments();
  if (given.action === 'check') return check(given);
  if (given.action === 'list') list(given);
  else write(given.target as string, given.manifests);
  return undefined;
}

await runCommand(USAGE, main);
