import {
  type DocumentNode,
  FieldsOnCorrectTypeRule,
  type GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  KnownArgumentNamesRule,
  KnownTypeNamesRule,
  ScalarLeafsRule,
  ValuesOfCorrectTypeRule,
  validate,
  visit,
} from 'graphql';
import type { SchemaView } from '../auth/schema-view.js';
import { MAXIMUM_ERRORS } from '../graphql/errors.js';

const SUGGESTION = ' Did you mean ';
/** The rules of graphql-js that suggest something. */
const suggesting = [
  FieldsOnCorrectTypeRule,
  KnownArgumentNamesRule,
  KnownTypeNamesRule,
  ScalarLeafsRule,
  ValuesOfCorrectTypeRule,
];

/** How the messages of those rules begin. */
const SUGGESTIVE = /^(Cannot query field|Unknown argument|Unknown type|Field "|Value "|Enum ")/;

/** Whether an error is one to which those rules may have something to suggest. */
const maySuggest = ({ message }: Told) => SUGGESTIVE.test(message);

type Told = Pick<GraphQLFormattedError, 'message' | 'locations'>;

/** What an error says whose own words name something of the schema that its reader has no business with. */
const DISCREET = 'What stands here does not fit the schema.';

/** The message without what it suggests: that comes from the whole schema, of which its reader may see a part. */
export function withoutSuggestion(message: string): string {
  // No regular expression: a value that repeats these words by the thousand would take the square of its length.
  const at = message.endsWith('?') ? message.lastIndexOf(SUGGESTION) : -1;
  return at < 0 ? message : message.slice(0, at);
}

/**
 * Messages of errors about a document or its variables, as their reader may be told. They name nothing that the reader
 * may not use, but for what the document names itself; and they suggest what the same mistake gets in the reader's own
 * view of the schema, where they may see that.
 * @param usable what the reader may use
 */
export function messagesFor(
  errors: readonly Told[],
  document: DocumentNode,
  usable: SchemaView,
  maySee: boolean,
): string[] {
  const keyOf = ({ message, locations }: Told) => JSON.stringify([withoutSuggestion(message), locations]);
  const suggested = new Map(
    (maySee && errors.some(maySuggest) ? suggestionsOf(usable.schema, document) : []).map((error) => [
      keyOf(error),
      error.message,
    ]),
  );
  const named = new Set<string>();
  visit(document, { Name: ({ value }) => void named.add(value) });
  const isTelling = (message: string) =>
    [...message.matchAll(/"([^"]*)"/g)].some(([, quoted = '']) =>
      quoted.match(/[A-Za-z_]\w*/g)?.some((name) => usable.hidden.has(name) && !named.has(name)),
    );
  return errors.map((error) => {
    const message = withoutSuggestion(error.message);
    return isTelling(message) ? DISCREET : (suggested.get(keyOf(error)) ?? message);
  });
}

/** What the rules that suggest something say of a document, which may be one that makes graphql-js throw. */
function suggestionsOf(schema: GraphQLSchema, document: DocumentNode): readonly GraphQLError[] {
  try {
    return validate(schema, document, suggesting, { maxErrors: MAXIMUM_ERRORS });
  } catch {
    return [];
  }
}
