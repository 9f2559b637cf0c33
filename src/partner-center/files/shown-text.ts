/** How much of a cell is shown. */
const SHOWN_CHARACTERS = 60;

/** Text out of a file, in quotes, cut short and safe for a terminal: nothing of it can move the cursor or turn the line. */
export function quoted(text: string): string {
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
  return JSON.stringify(shown).replace(/[\p{Cc}\p{Bidi_Control}]/gu, '\ufffd');
}

/** A message of another's, ready to end a sentence of ours. */
export const withoutStop = (message: string): string => message.replace(/\.{1,3}$/, '');
