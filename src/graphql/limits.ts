import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import type { ASTVisitor, ValidationContext, ValidationRule } from 'graphql';
import { codedError, ErrorCode } from './errors.js';

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
  /** Characters of a name or alias: PostgreSQL cuts longer ones, and answers would lose their keys. */
  nameLength: 63,
  /** Bytes of a request. */
  bodyBytes: 256 * 1024,
};

const refuse = (message: string) =>
  codedError(ErrorCode.LIMIT_EXCEEDED, message, { extensions: { http: { status: 400 } } });
const armored = {
  propagateOnRejection: false,
  exposeLimits: true,
};

/** A rule of graphql-armor whose refusals carry our code. */
function coded(rule: (context: ValidationContext) => ASTVisitor): ValidationRule {
  return (context) => {
    const report = (error: Error) => context.reportError(refuse(error.message.replace('Syntax Error: ', '')));
    return rule(
      new Proxy(context, { get: (target, key) => (key === 'reportError' ? report : Reflect.get(target, key, target)) }),
    );
  };
}

/** Rules that refuse documents beyond the limits. */
export const limitRules: ValidationRule[] = [
  coded(maxDepthRule({ n: limits.depth, ignoreIntrospection: true, ...armored }) as never),
  coded(maxAliasesRule({ n: limits.aliases, ...armored }) as never),
  coded(maxDirectivesRule({ n: limits.directives, ...armored }) as never),
  rootFieldsAndNames,
];

function rootFieldsAndNames(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition(operation) {
      const count = operation.selectionSet.selections.length;
      if (count > limits.rootFields)
        context.reportError(refuse(`Root fields limit of ${limits.rootFields} exceeded, found ${count}.`));
    },
    Field(field) {
      const length = (field.alias ?? field.name).value.length;
      if (length > limits.nameLength)
        context.reportError(refuse(`Names and aliases may have ${limits.nameLength} characters, found ${length}.`));
    },
  };
}
