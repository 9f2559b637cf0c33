/**
 * The type of a field that holds another type of the graph. With the plain class the compiler would write it into
 * decorator metadata, where one that is defined further down is read before it is there.
 */
export type Relation<Type> = Type;
