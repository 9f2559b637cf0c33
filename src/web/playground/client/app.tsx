import { GraphiQL } from 'graphiql';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { SignIn, SignInState } from '../../sign-in/client/sign-in';
import { fetchConfig, type PlaygroundConfig } from './config';
import { connection } from './connection';
import { Feed } from './feed';

import { connectGateway } from './gateway';
import { Header } from './header';
import { identityOf, recallRole, rememberRole } from './identity';
import { Notice } from './notice';
import { StopOnNewCaller } from './stop-on-new-caller';
import { TabIntoEditors } from './tab-into-editors';
import { useWatched, watched } from './watched';

/** Where nobody signs in. */
const signedOut = watched<SignInState>({ kind: 'out' });

/** The page: who calls, above GraphiQL as they see it. */
export function App({ config: initialConfig, signIn }: { config: PlaygroundConfig; signIn: SignIn | null }) {
  const [config, setConfig] = useState(initialConfig);
  const [role, setRole] = useState(() => recallRole(config.demoTokens));
  const [pastedToken, setPastedToken] = useState('');
  const signedIn = useWatched(signIn ?? signedOut);
  const identity = identityOf(role, pastedToken, config.demoTokens, signedIn);
  const token = useRef(identity.token);
  token.current = identity.token;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a connection for each caller, whose token may be renewed
  const gateway = useMemo(() => connectGateway(() => token.current), [identity.caller]);
  const tabs = useMemo(() => config.examples.map(({ query, variables }) => ({ query, variables })), [config.examples]);

  useEffect(() => () => gateway.dispose(), [gateway]);

  const chooseRole = (next: string) => {
    rememberRole(next);
    setPastedToken('');
    setRole(next);
  };
  const renewDemoTokens = () => fetchConfig().then(setConfig, () => connection.http.set({ state: 'unreachable' }));

  return (
    <>
      <Header
        demoTokens={config.demoTokens}
        identity={identity}
        role={role}
        onRole={chooseRole}
        pastedToken={pastedToken}
        onPaste={setPastedToken}
        signIn={signIn}
        signedIn={signedIn}
      />
      <Notice
        identity={identity}
        advice={config.advice}
        canRenew={!pastedToken && signedIn.kind !== 'in' && identity.token !== null}
        onRenew={renewDemoTokens}
        onForget={() => setPastedToken('')}
        canSignIn={signIn !== null && !pastedToken}
        signedIn={signedIn}
        onSignIn={() => void signIn?.begin()}
      />
      <main className="playground-editor">
        {/* No headers editor: GraphiQL writes headers to the history in localStorage, and tokens must not get there. */}
        <GraphiQL
          fetcher={gateway.fetcher}
          defaultTabs={tabs.length > 0 ? tabs : undefined}
          defaultEditorToolsVisibility="variables"
          isHeadersEditorEnabled={false}
          shouldPersistHeaders={false}
          inputValueDeprecation
          schemaDescription
          maxHistoryLength={50}
        >
          <GraphiQL.Logo>
            <span />
          </GraphiQL.Logo>
          <GraphiQL.Footer>
            <Feed />
          </GraphiQL.Footer>
          <TabIntoEditors />
          <StopOnNewCaller caller={identity.caller} />
        </GraphiQL>
      </main>
    </>
  );
}
