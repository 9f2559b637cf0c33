import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLErrorOptions,
  type GraphQLFormattedError,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  ValidationContext,
  visit,
} from 'graphql';
import { codedError, ErrorCode } from './errors.js';
import { measure, type Size } from './measure.js';
import { MAXIMUM_PAGE_SIZE } from './page.js';

/** The largest document that is taken, on both transports. Introspection of the playground passes. */
export const limits = {
  /** Lexical tokens of a document. */
  tokens: 5_000,
  /** Fields inside fields. */
  depth: 14,
  aliases: 30,
  directives: 50,
  /** Fields at the root of an operation. */
  rootFields: 20,
  /** Fields of an operation, those of a fragment once for each time it is spread. */
  fields: 1_000,
  /**
   * Items of lists inside lists, were every page full; where the size is a variable, pages of 100. What is no page
   * counts 10, or under a single row as many as it may have; `sales` 1,000, `nodes` its ids.
   */
  items: 200_000,
  /** The same of a subscription, for one entry: it is read for each. */
  itemsOfEntry: 1_000,
  /** Characters of a name or alias: PostgreSQL cuts longer ones, and answers would lose their keys. */
  nameLength: 63,
  /** Operations of a document. */
  operations: 50,
  /** Fragments that a document defines. */
  fragments: 100,
  /** Variables of an operation. */
  variables: 100,
  /** Selections, lists and objects inside one another, of inline fragments too. */
  nesting: 50,
  /** Bytes of a request. */
  bodyBytes: 256 * 1024,
};

/** `extensions.limit` names the limit; Apollo replaces the code of whatever a rule reports, but not this. */
const refuse = (limit: keyof typeof limits, message: string) =>
  codedError(ErrorCode.LIMIT_EXCEEDED, message, { extensions: { limit } });

/** The refusal behind an error of parsing or validating, if a limit was exceeded: ours, or one of graphql-js itself. */
export function refusalBehind({ message, extensions, nodes }: Refused): GraphQLError | null {
  if (extensions?.['limit'] !== undefined)
    return codedError(ErrorCode.LIMIT_EXCEEDED, message, { nodes, extensions: { limit: extensions['limit'] } });
  if (/tha[nt] \d+ tokens/.test(message)) return refuse('tokens', `Tokens limit of ${limits.tokens} exceeded.`);
  // graphql-js parses by recursion, and so ends at the stack's end.
  if (message === 'Maximum call stack size exceeded')
    return refuse('depth', `Depth limit of ${limits.depth} exceeded.`);
  if (message === 'Validation aborted.') return refuse('fields', 'The same fields are selected too often.');
  return null;
}

/** An error as graphql-js or Apollo tell it. */
type Refused = Pick<GraphQLFormattedError, 'message' | 'extensions'> & Pick<GraphQLErrorOptions, 'nodes'>;

const measures: Record<keyof Size, string> = {
  depth: 'Depth',
  aliases: 'Aliases',
  directives: 'Directives',
  rootFields: 'Root fields',
  fields: 'Fields',
  items: 'Items',
};

/**
 * Why a document is beyond the limits. Each of its definitions is walked once, before any rule of GraphQL looks at it:
 * several of those take time by the square of what they find.
 */
export function limitErrors(schema: GraphQLSchema, document: DocumentNode): GraphQLError[] {
  const [first, ...others] = countErrors(document);
  if (first) return [first, ...others];
  const sizes = sizeErrors(schema, document);
  return sizes.length > 0 ? sizes : formErrors(document);
}

const beyond = (limit: keyof typeof limits, title: string, found: number): GraphQLError[] =>
  found > limits[limit] ? [refuse(limit, `${title} limit of ${limits[limit]} exceeded, found ${found}.`)] : [];

/** How many definitions there are. */
function countErrors({ definitions }: DocumentNode): GraphQLError[] {
  const operations = definitions.filter(
    (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION,
  );
  const variables = operations.map(({ variableDefinitions = [] }) => variableDefinitions.length);
  return [
    ...beyond('operations', 'Operations', operations.length),
    ...beyond('fragments', 'Fragments', definitions.length - operations.length),
    ...beyond('variables', 'Variables', Math.max(0, ...variables)),
  ];
}

/** How large operations are with their fragments in their places, and fragments that may be used nowhere. */
function sizeErrors(schema: GraphQLSchema, document: DocumentNode): GraphQLError[] {
  const context = new ValidationContext(schema, document, new TypeInfo(schema), () => undefined);
  const sizeOf = measure(context, MAXIMUM_PAGE_SIZE);
  const errors = document.definitions.flatMap((definition) => {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) return sizesBeyond({ ...sizeOf(definition), rootFields: 0 });
    if (definition.kind !== Kind.OPERATION_DEFINITION) return [];
    const size = sizeOf(definition);
    const isStream = definition.operation === 'subscription';
    return [...(isStream ? itemsOfEntryBeyond(size) : []), ...sizesBeyond(size)];
  });
  // An operation and its fragment are beyond the same limit: that is told once.
  const different = new Map(errors.toReversed().map((error) => [error.extensions['limit'], error]));
  return [...different.values()].toReversed();
}

function sizesBeyond(size: Size): GraphQLError[] {
  return (Object.keys(measures) as (keyof Size)[]).flatMap((name) => beyond(name, measures[name], size[name]));
}

function itemsOfEntryBeyond({ items }: Size): GraphQLError[] {
  if (items <= limits.itemsOfEntry) return [];
  const message = `Items limit of ${limits.itemsOfEntry} for each entry of a subscription exceeded, found ${items}.`;
  return [refuse('itemsOfEntry', message)];
}

/** How deep it is nested, whatever by, and names that would not survive as response keys. */
function formErrors(document: DocumentNode): GraphQLError[] {
  let nesting = 0;
  let deepest = 0;
  let longest = 0;
  const nested = {
    enter: () => {
      nesting += 1;
      deepest = Math.max(deepest, nesting);
    },
    leave: () => {
      nesting -= 1;
    },
  };
  visit(document, {
    SelectionSet: nested,
    ListValue: nested,
    ObjectValue: nested,
    ListType: nested,
    Field: {
      enter: ({ alias, name }) => {
        longest = Math.max(longest, (alias ?? name).value.length);
      },
    },
  });
  return [...beyond('nesting', 'Nesting', deepest), ...beyond('nameLength', 'Name length', longest)];
}
