import { GraphiQL } from 'graphiql';
import { useEffect, useMemo, useState } from 'react';
import { fetchConfig, type PlaygroundConfig } from './config';
import { connection } from './connection';
import { Feed } from './feed';

import { connectGateway } from './gateway';
import { Header } from './header';
import { identityOf, recallRole, rememberRole } from './identity';
import { Notice } from './notice';
import { StopOnNewCaller } from './stop-on-new-caller';
import { TabIntoEditors } from './tab-into-editors';

/** The page: who calls, above GraphiQL as they see it. */
export function App({ config: initialConfig }: { config: PlaygroundConfig }) {
  const [config, setConfig] = useState(initialConfig);
  const [role, setRole] = useState(() => recallRole(config.demoTokens));
  const [pastedToken, setPastedToken] = useState('');
  const identity = identityOf(role, pastedToken, config.demoTokens);
  const gateway = useMemo(() => connectGateway(identity.token), [identity.token]);
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
      />
      <Notice
        identity={identity}
        canRenew={!pastedToken && identity.token !== null}
        onRenew={renewDemoTokens}
        onForget={() => setPastedToken('')}
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
          <StopOnNewCaller token={identity.token} />
        </GraphiQL>
      </main>
    </>
  );
}
