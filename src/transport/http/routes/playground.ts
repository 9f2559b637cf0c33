import type { FastifyInstance } from 'fastify';
import { demoTokens } from '../../../auth/demo-identities.js';
import type { Config } from '../../../config/config.js';
import { projectFile } from '../../../lib/project-file.js';
import { readExamples } from '../../../web/playground/examples.js';
import { registerPlayground } from '../../../web/playground/playground.js';

/** How long a token of the playground's role switch is good. */
const TOKEN_TTL = '8h';

/** `/`: the playground, with demo tokens outside production and the example operations as tabs. */
export async function servePlayground(app: FastifyInstance, config: Config): Promise<void> {
  const { auth, production, signingSecret } = config;
  await registerPlayground(app, {
    assetsDir: projectFile('dist/playground'),
    production: production || auth.kind !== 'demo',
    demoTokens: () => demoTokens(auth.partnerTenantId ?? '', TOKEN_TTL, signingSecret),
    examples: readExamples(projectFile('schema/operations')),
  });
}
