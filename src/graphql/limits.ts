import type { ValidationContext, ValidationRule } from 'graphql';
import { MAXIMUM_PAGE_SIZE } from '../read/page.js';
import { codedError, ErrorCode } from './errors.js';
import { measure, type Size } from './measure.js';

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
  /** Items of pages inside pages, were every page full; where the size is a variable, pages of 100. */
  items: 200_000,
  /** Characters of a name or alias: PostgreSQL cuts longer ones, and answers would lose their keys. */
  nameLength: 63,
  /** Bytes of a request. */
  bodyBytes: 256 * 1024,
};

const refuse = (message: string) => codedError(ErrorCode.LIMIT_EXCEEDED, message);

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
      for (const [name, title] of Object.entries(measures) as [keyof Size, string][]) {
        if (size[name] > limits[name])
          context.reportError(refuse(`${title} limit of ${limits[name]} exceeded, found ${size[name]}.`));
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
        context.reportError(refuse(`Names and aliases may have ${limits.nameLength} characters, found ${length}.`));
    },
  };
}

/** Rules that refuse documents beyond the limits. */
export const limitRules: ValidationRule[] = [operationSize, nameLength];
