import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DefinitionNode, type FragmentDefinitionNode, Kind, parse, print, visit } from 'graphql';
import type { PlaygroundExample } from './playground.js';

/** The tabs of the playground, in their order: named operations of `schema/operations`, with variables to begin with. */
const tabs: [operation: string, variables?: Record<string, unknown>][] = [
  ['Viewer'],
  ['FindCustomer', { domain: 'contoso.onmicrosoft.com' }],
  ['Products', { search: 'SQL Server', market: 'US' }],
  [
    'Purchase',
    {
      input: {
        idempotencyKey: 'make-a-new-one-per-purchase',
        customerId: 'the id that FindCustomer gives',
        lines: [{ productId: 'DG7GMGF0FKZV', skuId: '0001', quantity: 2 }],
      },
    },
  ],
  ['ActivityFeed', {}],
  ['Sales', { groupBy: ['MONTH', 'KIND'] }],
  ['CancellationQuote', { orderId: 'the id that Purchase gives' }],
];

/** Reads the example operations, each with the fragments it needs. @param folder `schema/operations` */
export function readExamples(folder: string): PlaygroundExample[] {
  const definitions: DefinitionNode[] = readdirSync(folder)
    .filter((file) => file.endsWith('.graphql'))
    .sort()
    .flatMap((file) => [...parse(readFileSync(join(folder, file), 'utf8')).definitions]);
  const fragments = new Map(definitions.filter(isFragment).map((fragment) => [fragment.name.value, fragment]));
  return tabs.map(([name, variables]) => {
    const operation = definitions.find(
      (definition) => definition.kind === Kind.OPERATION_DEFINITION && definition.name?.value === name,
    );
    if (!operation) throw new Error(`schema/operations has no operation ${name}`);
    const needed = neededFragments(operation, fragments);
    return {
      name,
      query: [operation, ...needed].map(print).join('\n\n'),
      ...(variables ? { variables: JSON.stringify(variables, null, 2) } : {}),
    };
  });
}

function neededFragments(
  definition: DefinitionNode,
  fragments: Map<string, FragmentDefinitionNode>,
): Set<FragmentDefinitionNode> {
  const needed = new Set<FragmentDefinitionNode>();
  visit(definition, {
    FragmentSpread(spread) {
      const fragment = fragments.get(spread.name.value);
      if (!fragment || needed.has(fragment)) return;
      needed.add(fragment);
      for (const deeper of neededFragments(fragment, fragments)) needed.add(deeper);
    },
  });
  return needed;
}

function isFragment(definition: DefinitionNode): definition is FragmentDefinitionNode {
  return definition.kind === Kind.FRAGMENT_DEFINITION;
}
