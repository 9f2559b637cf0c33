// The small metadata know each country's lengths and the pattern of all its numbers, not which ranges are in use: those
// change, and a number that a customer has is not to be refused for being newer than this package.
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';

/**
 * A telephone number as people write it, in E.164, with its extension as RFC 3966 has it: `+14255550100;ext=5`. Null where
 * it is none.
 * @param country ISO 3166-1 alpha-2: where a number without a country code is
 */
export function phoneOf(text: string, country: string): string | null {
  const defaultCountry = isSupportedCountry(country) ? country : undefined;
  const number = parsePhoneNumberFromString(text, { ...(defaultCountry && { defaultCountry }), extract: false });
  if (!number?.isValid()) return null;
  return number.ext ? `${number.number};ext=${number.ext}` : number.number;
}
