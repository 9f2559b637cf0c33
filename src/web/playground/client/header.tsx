import type { SignIn, SignInState } from '../../sign-in/client/sign-in';
import type { DemoToken } from './config';
import type { Identity } from './identity';
import { RoleSwitch } from './role-switch';
import { SignInButton } from './sign-in-button';
import { Status } from './status';
import { TokenField } from './token-field';

interface HeaderProps {
  demoTokens: DemoToken[];
  identity: Identity;
  role: string;
  onRole(role: string): void;
  pastedToken: string;
  onPaste(token: string): void;
  /** Null: nobody signs in here. */
  signIn: SignIn | null;
  signedIn: SignInState;
}

/** Product name, who calls, how the connection is, and where else to look. */
export function Header({ demoTokens, identity, role, onRole, pastedToken, onPaste, signIn, signedIn }: HeaderProps) {
  return (
    <header className="playground-header">
      <h1>
        csp-graph <small>playground</small>
      </h1>
      {demoTokens.length > 0 && (
        <RoleSwitch demoTokens={demoTokens} role={role} overridden={pastedToken !== ''} onRole={onRole} />
      )}
      {signIn && <SignInButton signIn={signIn} signedIn={signedIn} />}
      <TokenField token={pastedToken} onToken={onPaste} />
      <Status identity={identity} />
      <nav aria-label="Gateway">
        <a href="/schema.graphql">Schema</a>
        <a href="/live">Live dashboard</a>
      </nav>
    </header>
  );
}
