import { sql } from 'kysely';

/** The key under which a tree says which member of an interface or union it is. No response key can be it. */
const MEMBER = '$type';
/** What says so in SQL. */
export const memberIs = (typeName: string) => ({ key: MEMBER, value: sql`${typeName}::text` });
/** The GraphQL type of a tree that is held by an interface or union. */
export const memberOf = (tree: object): string => (tree as Record<string, string>)[MEMBER] as string;
