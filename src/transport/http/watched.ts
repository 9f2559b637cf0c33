/** Addresses of operators. */
export const WATCHED = /^\/(health|metrics)\b/;
