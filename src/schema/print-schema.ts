import { writeFileSync } from 'node:fs';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { type GraphQLSchema, lexicographicSortSchema } from 'graphql';

/** The contract as text: sorted, with descriptions and `@auth`. */
export function printGraph(schema: GraphQLSchema): string {
  return `${printSchemaWithDirectives(lexicographicSortSchema(schema))}\n`;
}

/** `npm run schema`: writes the contract into `schema/schema.graphql`. */
if (process.argv[1] === import.meta.filename) {
  const { buildGraph } = await import('./build-schema.js');
  writeFileSync('schema/schema.graphql', printGraph(await buildGraph()));
  console.log('wrote schema/schema.graphql');
}
