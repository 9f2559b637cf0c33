import {
  type DocumentNode,
  FieldsOnCorrectTypeRule,
  type GraphQLFormattedError,
  type GraphQLSchema,
  KnownArgumentNamesRule,
  KnownTypeNamesRule,
  ScalarLeafsRule,
  ValuesOfCorrectTypeRule,
  validate,
} from 'graphql';

const SUGGESTION = / Did you mean .*\?$/s;
/** The rules of graphql-js that suggest something. */
const suggesting = [
  FieldsOnCorrectTypeRule,
  KnownArgumentNamesRule,
  KnownTypeNamesRule,
  ScalarLeafsRule,
  ValuesOfCorrectTypeRule,
];

/** The message without what it suggests: that comes from the whole schema, of which its reader may see a part. */
export function withoutSuggestion(message: string): string {
  return message.replace(SUGGESTION, '');
}

/**
 * Messages of errors of validation with the suggestions that their reader may have: those that the same mistake gets in
 * the reader's own view of the schema.
 * @param view null: they may see nothing of it
 */
export function withSuggestions(
  errors: readonly Pick<GraphQLFormattedError, 'message' | 'locations'>[],
  document: DocumentNode,
  view: GraphQLSchema | null,
): string[] {
  const keyOf = ({ message, locations }: Pick<GraphQLFormattedError, 'message' | 'locations'>) =>
    JSON.stringify([withoutSuggestion(message), locations]);
  const suggested = new Map(
    (view ? validate(view, document, suggesting) : []).map((error) => [keyOf(error), error.message]),
  );
  return errors.map((error) => suggested.get(keyOf(error)) ?? withoutSuggestion(error.message));
}
