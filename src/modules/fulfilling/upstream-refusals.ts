import { type Handling, handlingOf, PartnerCenterFailure } from '../../partner-center/rest/failure.js';

/** What a refusal means to who asked; what has no word here is tried again. */
const words: Partial<Record<Handling, string>> = {
  forbidden: 'The partner may not do this for the customer in Partner Center.',
  missing: 'Partner Center does not know what this is about.',
  moved: 'The product is not for sale in Partner Center, or not in this way.',
  late: 'It is too late to cancel in Partner Center.',
  door: 'Partner Center does not let this be cancelled as an order.',
  customer:
    'The customer may not buy in Partner Center yet: an agreement or a confirmation is missing, or a limit is reached.',
  sandbox: 'The limit of the sandbox in Partner Center is reached.',
  refused: 'Partner Center refused it.',
};

/** Why something was refused, in words for who asked; null: it was not, and may be tried again. */
export function refusalOf(error: unknown): string | null {
  if (!(error instanceof PartnerCenterFailure)) return null;
  const { handling, code, text } = error;
  return words[handling] ? inWords(handling, code, text) : null;
}

/** The same of an order that a checkout did not make, which is clear by then: also where it is the service's own fault. */
export function refusalOfGroup(code: string, description: string): string | null {
  const known = handlingOf(400, code);
  const handling = known === 'unknown' ? 'refused' : known;
  return words[handling] ? inWords(handling, code, description) : null;
}

const inWords = (handling: Handling, code: string | null, text: string) =>
  `${words[handling]} It says: ${text}${code ? ` (${code})` : ''}`;
