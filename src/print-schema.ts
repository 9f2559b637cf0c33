import { writeFileSync } from 'node:fs';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { type GraphQLSchema, lexicographicSortSchema } from 'graphql';

/** The contract as text: sorted, with descriptions and `@auth`. */
export function printGraph(schema: GraphQLSchema): string {
  return `${printSchemaWithDirectives(lexicographicSortSchema(schema))}\n`;
}

async function main(): Promise<void> {
  const { buildGraph } = await import('./schema.js');
  writeFileSync('schema/schema.graphql', printGraph(await buildGraph()));
  console.log('wrote schema/schema.graphql');
}

/** `npm run schema`: writes the contract into `schema/schema.graphql`. Without `await`: `require` can load the graph. */
if (process.argv[1] === import.meta.filename) void main();
