import { useGraphiQL } from '@graphiql/react';
import { useEffect, useRef } from 'react';

/**
 * Fills the editors with the open tab as they arrive. GraphiQL itself starts them with the first query and no
 * variables, also when another tab was chosen in the meantime.
 */
export function TabIntoEditors() {
  const tab = useRef<{ query: string | null; variables?: string | null }>(undefined);
  tab.current = useGraphiQL((state) => state.tabs[state.activeTabIndex]);
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);

  useEffect(() => fill(queryEditor, tab.current?.query), [queryEditor]);
  useEffect(() => fill(variableEditor, tab.current?.variables), [variableEditor]);
  return null;
}

function fill(editor: { getValue(): string; setValue(text: string): void } | undefined, text?: string | null): void {
  if (editor && text && editor.getValue() !== text) editor.setValue(text);
}
