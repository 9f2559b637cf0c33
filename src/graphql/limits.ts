import type {
  GraphQLError,
  GraphQLErrorOptions,
  GraphQLFormattedError,
  ValidationContext,
  ValidationRule,
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
   * counts 10, `sales` 1,000, `nodes` its ids.
   */
  items: 200_000,
  /** The same of a subscription, for one entry: it is read for each. */
  itemsOfEntry: 1_000,
  /** Characters of a name or alias: PostgreSQL cuts longer ones, and answers would lose their keys. */
  nameLength: 63,
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

/** Refuses operations beyond the limits, and says which one and by how much. */
function operationSize(context: ValidationContext): ReturnType<ValidationRule> {
  const sizeOf = measure(context, MAXIMUM_PAGE_SIZE);
  return {
    OperationDefinition(operation) {
      const size = sizeOf(operation);
      if (operation.operation === 'subscription' && size.items > limits.itemsOfEntry)
        context.reportError(
          refuse(
            'itemsOfEntry',
            `Items limit of ${limits.itemsOfEntry} for each entry of a subscription exceeded, found ${size.items}.`,
          ),
        );
      for (const [name, title] of Object.entries(measures) as [keyof Size, string][]) {
        if (size[name] > limits[name])
          context.reportError(refuse(name, `${title} limit of ${limits[name]} exceeded, found ${size[name]}.`));
      }
    },
  };
}

/** Refuses names that would not survive as response keys. */
function nameLength(context: ValidationContext): ReturnType<ValidationRule> {
  return {
    Field({ alias, name }) {
      const { length } = (alias ?? name).value;
      if (length > limits.nameLength)
        context.reportError(
          refuse('nameLength', `Name length limit of ${limits.nameLength} exceeded, found ${length}.`),
        );
    },
  };
}

/** Rules that refuse documents beyond the limits. */
export const limitRules: ValidationRule[] = [operationSize, nameLength];
