import { type DocumentNode, Kind, print, type SelectionNode, type SelectionSetNode, visit } from 'graphql';

/**
 * The document without selections that stand in the same place word for word already. They conflict with nothing that the
 * first of them does not conflict with, and the rule for conflicts compares every two selections of the same key.
 */
export function withoutRepeats(document: DocumentNode): DocumentNode {
  const numbers = new Map<string, number>();
  const numberOf = new Map<SelectionSetNode, number>();
  /** The same number for the same text: a selection is compared by the number of what it selects, not by its text. */
  const numbered = (text: string): number => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  };
  const keyOf = (selection: SelectionNode): number => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return numbered(print(selection));
    const { selectionSet } = selection;
    const head = print({ ...selection, selectionSet: undefined } as SelectionNode);
    return numbered(`${head} ${selectionSet ? numberOf.get(selectionSet) : ''}`);
  };
  return visit(document, {
    SelectionSet: {
      leave: (set) => {
        const different = new Map<number, SelectionNode>();
        for (const selection of set.selections) {
          const key = keyOf(selection);
          if (!different.has(key)) different.set(key, selection);
        }
        const kept = { ...set, selections: [...different.values()] };
        numberOf.set(kept, numbered(`{${[...different.keys()].join()}}`));
        return kept;
      },
    },
  });
}
