import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  OverlappingFieldsCanBeMergedRule,
  parse,
  type SelectionSetNode,
  specifiedRules,
  TypeInfo,
  ValidationContext,
  validate,
} from 'graphql';
import { codedError, ErrorCode, MAXIMUM_ERRORS } from '../graphql/errors.js';
import { limitErrors, limits, refusalBehind } from '../graphql/limits.js';
import { withoutRepeats } from './repeats.js';

/** A document, or why it is none: what every transport makes of a text before anything else. */
export type Checked = DocumentNode | readonly GraphQLError[];

/** Takes time by the square of the selections of one key: it looks at documents that the other rules have taken. */
const costly = OverlappingFieldsCanBeMergedRule;
const rules = specifiedRules.filter((rule) => rule !== costly);

/**
 * Parses and validates a text. graphql-js throws some of what is wrong with a document where it should tell it, such as a
 * `@skip` without its argument at the root of a subscription: that is told here like the rest.
 * @param tell the messages of errors as their reader may be told
 */
export function validDocument(
  schema: GraphQLSchema,
  text: string,
  tell: (errors: readonly GraphQLError[], document: DocumentNode) => string[],
): Checked {
  let document: DocumentNode;
  try {
    document = parse(text, { maxTokens: limits.tokens });
  } catch (error) {
    return [toClientError(ErrorCode.GRAPHQL_PARSE_FAILED, error as GraphQLError)];
  }
  const errors = errorsOf(schema, document);
  if (errors.length === 0) return document;
  const messages = tell(errors, document);
  return errors.map((error, index) => toClientError(ErrorCode.GRAPHQL_VALIDATION_FAILED, error, messages[index]));
}

/** What is wrong with a document. */
export function errorsOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  options: { hideSuggestions?: boolean; maxErrors?: number } = { hideSuggestions: true, maxErrors: MAXIMUM_ERRORS },
): readonly GraphQLError[] {
  try {
    const beyond = limitErrors(schema, document);
    if (beyond.length > 0) return beyond;
    const errors = ruleErrors(schema, document, options);
    return errors.length > 0 ? errors : validate(schema, withoutRepeats(document), [costly], options);
  } catch (error) {
    // Anything but a mistake in the document is ours, as is the stack's end; `refusalBehind` knows the latter.
    if (error instanceof GraphQLError || error instanceof RangeError) return [error as GraphQLError];
    throw error;
  }
}

/** What the rules of GraphQL say that take time by the size of a document, and by no square of it. */
function ruleErrors(
  schema: GraphQLSchema,
  document: DocumentNode,
  options: { hideSuggestions?: boolean; maxErrors?: number },
): readonly GraphQLError[] {
  const conditional = conditionalRoots(document);
  if (conditional.length > 0) {
    const message =
      'A subscription has one root field whatever its variables say: @skip and @include may not stand at its root.';
    return [new GraphQLError(message, { nodes: conditional })];
  }
  return validate(schema, document, rules, options);
}

/** The `@skip` and `@include` at the roots of subscriptions: the specification forbids them (5.2.4.1). */
function conditionalRoots({ definitions }: DocumentNode): DirectiveNode[] {
  const subscriptions = definitions.filter(
    (one): one is OperationDefinitionNode => one.kind === Kind.OPERATION_DEFINITION && one.operation === 'subscription',
  );
  if (subscriptions.length === 0) return [];
  const fragments = new Map(
    definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  );
  const found: DirectiveNode[] = [];
  const seen = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      for (const directive of selection.directives ?? [])
        if (['skip', 'include'].includes(directive.name.value)) found.push(directive);
      if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet);
      else if (selection.kind === Kind.FRAGMENT_SPREAD && !seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment) collect(fragment.selectionSet);
      }
    }
  };
  for (const { selectionSet } of subscriptions) collect(selectionSet);
  return found;
}

/**
 * Where a variable is null that stands where null may not be: a default lets such a document pass, and null sent in its
 * place would fail wherever it stands, in a stream once for each entry.
 */
export function misplacedNulls(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown> | null | undefined,
): GraphQLError[] {
  if (!operation.variableDefinitions?.length) return [];
  const { coerced } = getVariableValues(schema, operation.variableDefinitions, variables ?? {}, { maxErrors: 1 });
  if (!coerced) return [];
  const context = new ValidationContext(schema, document, new TypeInfo(schema), () => undefined);
  const misplaced = new Map<string, GraphQLError>();
  for (const { node, type } of context.getRecursiveVariableUsages(operation)) {
    const name = node.name.value;
    if (coerced[name] !== null || !isNonNullType(type) || misplaced.has(name)) continue;
    const message = `Variable "$${name}" must not be null: it stands where ${type} is asked for.`;
    misplaced.set(name, codedError(ErrorCode.BAD_USER_INPUT, message, { nodes: node }));
  }
  return [...misplaced.values()];
}

/** An error of parsing or validating with its code, and its place in the document. */
function toClientError(code: ErrorCode, error: GraphQLError, message = error.message): GraphQLError {
  const { nodes, source, positions } = error;
  return refusalBehind(error) ?? codedError(code, message, { nodes, source, positions });
}
