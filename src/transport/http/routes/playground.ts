import type { FastifyInstance } from 'fastify';
import { demoTokens } from '../../../auth/demo-identities.js';
import type { Config } from '../../../config/config.js';
import { projectFile } from '../../../lib/project-file.js';
import { readExamples } from '../../../web/playground/examples.js';
import { type PlaygroundOptions, registerPlayground, type TokenSources } from '../../../web/playground/playground.js';
import { withPageETag } from '../etag.js';
import { isLoopbackRequest } from '../loopback-request.js';
import { signInOrigin } from './live.js';

/** How long a token of the playground's role switch is good, where tokens may be good for so long. */
const TOKEN_LIFE_S = 8 * 3_600;

/** `/`: the playground where it is on, with demo tokens outside production or the provider's sign-in, and example operations as tabs. */
export async function servePlayground(app: FastifyInstance, config: Config): Promise<void> {
  const { auth, production, signingSecret } = config;
  const signIn = auth.kind === 'jwks' ? auth.signIn : null;
  const ttl = `${Math.min(TOKEN_LIFE_S, auth.maxTokenLifeMs / 1_000)}s`;
  const none: TokenSources = { demoTokens: [], signIn: null, advice: null };
  const options: PlaygroundOptions = {
    isOn: config.playground,
    assetsDir: projectFile('dist/playground'),
    examples: readExamples(projectFile('schema/operations')),
    connectsTo: signInOrigin(signIn),
    tokenSources: async (request) => {
      if (signIn) return { ...none, signIn };
      if (auth.kind === 'jwks' || production) return { ...none, advice: 'Paste a token of the identity provider.' };
      if (isLoopbackRequest(request))
        return { ...none, demoTokens: await demoTokens(auth.partnerTenantId, ttl, signingSecret) };
      const advice =
        'Demo tokens are handed out on the gateway’s own machine only. Make one there and paste it: npm run --silent token -- --role ADMIN_AGENT';
      return { ...none, advice };
    },
  };
  await app.register(async (scope) => {
    scope.addHook('onSend', withPageETag);
    await registerPlayground(scope, options);
  });
}
