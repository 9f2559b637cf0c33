/**
 * The type of a field that holds another module's type. Modules refer to each other in circles; with the plain class
 * the compiler would write it into decorator metadata, where it is read before it is defined.
 */
export type Relation<Type> = Type;
