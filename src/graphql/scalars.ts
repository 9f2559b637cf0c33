import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
const DECIMAL = /^-?(0|[1-9]\d{0,17})(\.\d{1,4})?$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function parseInstant(value: unknown): Date {
  const instant = typeof value === 'string' && INSTANT.test(value) ? new Date(value) : new Date(Number.NaN);
  if (Number.isNaN(instant.getTime()) || !isSameDay(value as string, instant)) {
    throw new GraphQLError('DateTime must be an ISO 8601 instant with a time zone, such as 2026-11-22T09:30:00Z');
  }
  return instant;
}

/** JavaScript turns 31 February into 3 March; we refuse it. */
function isSameDay(text: string, instant: Date): boolean {
  const zone = /(Z|[+-]\d\d:\d\d)$/.exec(text)?.[0] ?? 'Z';
  const shift =
    zone === 'Z'
      ? 0
      : (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * 60_000;
  return new Date(instant.getTime() + shift).toISOString().slice(0, 10) === text.slice(0, 10);
}

function parseDecimal(value: unknown): string {
  if (typeof value !== 'string' || !DECIMAL.test(value)) {
    throw new GraphQLError(
      'Decimal must be text such as "94.20": at most 18 digits before and 4 after the point, no exponent',
    );
  }
  return value;
}

function parseUuid(value: unknown): string {
  if (typeof value !== 'string' || !UUID.test(value)) {
    throw new GraphQLError('UUID must be 32 hexadecimal digits in groups of 8-4-4-4-12');
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
  description: 'An instant in ISO 8601 with a time zone: `2026-11-22T09:30:00.000Z`. Answers are in UTC.',
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
  parseValue: (value) =>
    parseInstant(`${String(value)}T00:00:00Z`)
      .toISOString()
      .slice(0, 10),
  parseLiteral: literal((value) =>
    parseInstant(`${String(value)}T00:00:00Z`)
      .toISOString()
      .slice(0, 10),
  ),
});

/** A decimal number as text: money never passes through a float. */
export const DecimalScalar = new GraphQLScalarType<string, string>({
  name: 'Decimal',
  description: 'An exact decimal number as text: `"94.20"`. Never a float.',
  specifiedByURL: 'https://scalars.graphql.org/chillicream/decimal.html',
  serialize: String,
  parseValue: parseDecimal,
  parseLiteral: literal(parseDecimal),
});

/** A GUID such as a tenant id. */
export const UuidScalar = new GraphQLScalarType<string, string>({
  name: 'UUID',
  description: 'A GUID in lower case: `3b33e682-00c3-41ee-9dd2-a548adf56438`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc9562',
  serialize: String,
  parseValue: parseUuid,
  parseLiteral: literal(parseUuid),
});
