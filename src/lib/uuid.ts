/** The form of a UUID in lower case, as a part of a regular expression. */
export const UUID_FORM = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

const LOWER_CASE = new RegExp(`^${UUID_FORM}$`);
const ANY_CASE = new RegExp(`^${UUID_FORM}$`, 'i');

/** Whether a text is a UUID, in upper or lower case. */
export const isUuid = (text: string): boolean => ANY_CASE.test(text);

/** Whether a text is a UUID as PostgreSQL writes it: in lower case. */
export const isLowerCaseUuid = (text: string): boolean => LOWER_CASE.test(text);
