/**
 * A text of one line: no line break of any kind, no other control character, nothing that turns the direction of what
 * stands beside it (a file called `gpj.exe` can show as `exe.jpg` that way), and no blank without width. Joiners stay:
 * Persian and Indian scripts and emoji are written with them.
 */
export const ONE_LINE = /^[^\p{Cc}\p{Zl}\p{Zp}\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]*$/u;

/** What identifies somebody: besides, nothing that cannot be seen, by which two names would look the same. */
export const IDENTIFIER = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]*$/u;
