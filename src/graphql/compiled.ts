/**
 * The body of a field with arguments that the read model answers: schema.ts puts the reader of its tree in its place.
 * A field that is not in the read model fails when the schema is built, so this never runs.
 */
export function compiled(): never {
  throw new Error('This field is read by the read model');
}
