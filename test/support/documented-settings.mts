import { readFileSync } from 'node:fs';

const operating = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
const PROVIDERS = /https:\/\/(login\.microsoftonline\.com|sts\.windows\.net|keycloak\.example)/g;

/** The settings that `docs/operating.md` gives for an identity provider, with the provider's address as it is here. */
export function documentedSettings(heading: string, address: string): Record<string, string> {
  const section = operating.split(`\n### ${heading}\n`)[1]?.split('\n### ')[0] ?? '';
  const block = /```ini\n(.*?)```/s.exec(section)?.[1];
  if (!block) throw new Error(`docs/operating.md has no settings under ${heading}`);
  const lines = block.trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(line) as unknown as [string, string, string];
      return [name, value.replaceAll(PROVIDERS, address)];
    }),
  );
}
