import { GraphQLID, GraphQLScalarType, GraphQLString, Kind, type ValueNode } from 'graphql';
import { isUuid } from '../lib/uuid.js';
import { instantOf, isCalendarDay } from './instant.js';

const DECIMAL = /^-?(0|[1-9]\d{0,17})(\.\d{1,4})?$/;
/** PostgreSQL keeps no NUL, and half of a surrogate pair is no character. */
const UNFIT_TEXT = /[\0\p{Surrogate}]/u;

// What is thrown here is told by graphql-js, with the place and the type: these are no GraphQLErrors on purpose.

// String and ID are graphql-js' own, as is their use by introspection; this narrows what they take in.
for (const scalar of [GraphQLString, GraphQLID]) {
  const { parseValue, parseLiteral } = scalar;
  scalar.parseValue = (value) => fitText(parseValue(value));
  scalar.parseLiteral = (node, variables) => fitText(parseLiteral(node, variables));
}

/** Composed, as the tables have it: what came decomposed, as from macOS, is the same text. */
function fitText(text: string): string {
  if (UNFIT_TEXT.test(text)) throw new TypeError('Text must not hold NUL or half a surrogate pair');
  return text.normalize('NFC');
}

function parseInstant(value: unknown): Date {
  const instant = typeof value === 'string' ? instantOf(value) : null;
  if (!instant) throw new TypeError('It must be an instant with a time zone as RFC 3339 has it: 2026-11-22T09:30:00Z');
  return instant;
}

function parseDay(value: unknown): string {
  if (typeof value !== 'string' || !isCalendarDay(value))
    throw new TypeError('It must be a calendar day in ISO 8601, such as 2026-11-22');
  return value;
}

function parseDecimal(value: unknown): string {
  if (typeof value !== 'string' || !DECIMAL.test(value)) {
    throw new TypeError('It must be text such as "94.20": at most 18 digits before and 4 after the point, no exponent');
  }
  return value;
}

function parseUuid(value: unknown): string {
  if (typeof value !== 'string' || !isUuid(value)) {
    throw new TypeError('It must be 32 hexadecimal digits in groups of 8-4-4-4-12');
  }
  return value.toLowerCase();
}

const literal =
  <Value>(parse: (value: unknown) => Value) =>
  (node: ValueNode): Value =>
    parse(node.kind === Kind.STRING ? node.value : undefined);

/** An instant. Goes out as ISO 8601 in UTC with milliseconds, the text that PostgreSQL already made. */
export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description:
    'An instant with a time zone, in the profile of ISO 8601 that RFC 3339 describes: `2026-11-22T09:30:00.000Z`. Answers are in UTC, with milliseconds. One that is sent may be finer, and is compared as it is.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (value) => (value instanceof Date ? value.toISOString() : String(value)),
  parseValue: parseInstant,
  parseLiteral: literal(parseInstant),
});

/** A calendar day. */
export const DateScalar = new GraphQLScalarType<string, string>({
  name: 'Date',
  description: 'A calendar day in ISO 8601, in UTC: `2026-11-22`.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/local-date.html',
  serialize: String,
  parseValue: parseDay,
  parseLiteral: literal(parseDay),
});

/** A decimal number as text: money never passes through a float. */
export const DecimalScalar = new GraphQLScalarType<string, string>({
  name: 'Decimal',
  description:
    'An exact decimal number as text, never a float: `"94.20"`. One that is sent has at most 18 digits before the point and 4 after it; sums may have more.',
  specifiedByURL: 'https://scalars.graphql.org/chillicream/decimal.html',
  serialize: String,
  parseValue: parseDecimal,
  parseLiteral: literal(parseDecimal),
});

/** A GUID such as a tenant id. */
export const UuidScalar = new GraphQLScalarType<string, string>({
  name: 'UUID',
  description:
    'A GUID such as `3b33e682-00c3-41ee-9dd2-a548adf56438`. Answers are in lower case; either case may be sent.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc9562',
  serialize: String,
  parseValue: parseUuid,
  parseLiteral: literal(parseUuid),
});

/** A whole number beyond 32 bits, as JSON number: sums of quantities pass 2³¹ where single ones do not. */
export const SafeIntScalar = new GraphQLScalarType<number, number>({
  name: 'SafeInt',
  description: 'A whole number that a float of 64 bits holds exactly: from -2⁵³ + 1 to 2⁵³ - 1.',
  serialize: (value) => parseSafeInt(Number(value)),
  parseValue: parseSafeInt,
  parseLiteral: (node) => parseSafeInt(node.kind === Kind.INT ? Number(node.value) : undefined),
});

function parseSafeInt(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError('It must be a whole number from -2⁵³ + 1 to 2⁵³ - 1');
  return value as number;
}
