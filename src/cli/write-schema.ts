import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildGraph } from '../schema/build-schema.js';
import { printGraph } from '../schema/print-schema.js';
import { runCommand } from './run-command.js';

const USAGE = `Writes the contract, as the code says it, into schema/schema.graphql.

  npm run schema`;

async function main(): Promise<undefined> {
  parseArgs({ options: {} });
  writeFileSync('schema/schema.graphql', printGraph(await buildGraph()));
  console.log('wrote schema/schema.graphql');
}

await runCommand(USAGE, main);
