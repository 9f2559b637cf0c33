/** Secrets by what they are, such as `product key`, and texts by where they were found, such as `log`. */
export type Named = [name: string, text: string];

/** Every form in which a secret may be written down: as it is, without its marks, and as programs encode it. */
function formsOf(secret: string): string[] {
  // The signature alone is the secret of a token; its claims are those of a hundred others.
  const [, signature] = /^[\w-]+\.[\w-]+\.([\w-]{20,})$/.exec(secret) ?? [];
  const text = signature ?? secret;
  const bytes = Buffer.from(text);
  return [
    text,
    text.replaceAll('-', ''),
    text.toLowerCase(),
    encodeURIComponent(text),
    JSON.stringify(text).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    // A Uint8Array as a logger shows it, and a Buffer.
    JSON.stringify(new Uint8Array(bytes)).slice(1, -1),
    JSON.stringify([...bytes]).slice(1, -1),
  ];
}

/** Which secrets are in which texts: `product key in log`. */
export function findLeaks(secrets: readonly Named[], texts: readonly Named[]): string[] {
  const found = secrets.flatMap(([name, secret]) => {
    const forms = formsOf(secret);
    return texts
      .filter(([, text]) => forms.some((form) => text.includes(form)))
      .map(([where, text]) => `${name} in ${where}: …${around(text, forms)}…`);
  });
  return [...new Set(found)];
}

/** What is about it, so that whoever reads the failure finds the place. */
function around(text: string, forms: string[]): string {
  const at = Math.min(...forms.map((form) => text.indexOf(form)).filter((index) => index >= 0));
  return text.slice(Math.max(0, at - 120), at + 20);
}
