import type { SignInState } from '../../sign-in/client/sign-in';
import { connection } from './connection';
import type { Identity } from './identity';
import { useWatched } from './watched';

interface NoticeProps {
  identity: Identity;
  /** The token is a demo token, which the gateway can sign anew. */
  canRenew: boolean;
  onRenew(): void;
  onForget(): void;
  /** Where a token comes from that the page does not give. */
  advice: string | null;
  canSignIn: boolean;
  signedIn: SignInState;
  onSignIn(): void;
}

/** Says what is wrong with the caller or the connection, and what to do. */
export function Notice(props: NoticeProps) {
  const { identity, canRenew, onRenew, onForget, advice, canSignIn, signedIn, onSignIn } = props;
  const { state, detail } = useWatched(connection.http);
  if (signedIn.kind === 'ended' || signedIn.kind === 'failed') {
    return (
      <div className="playground-notice" role="alert">
        <p>
          <strong>{signedIn.kind === 'ended' ? 'Your sign-in has ended.' : 'You could not be signed in.'}</strong>{' '}
          {signedIn.kind === 'failed' ? signedIn.why : 'The identity provider gives no new token without you.'}
        </p>
        <button type="button" onClick={onSignIn}>
          Sign in again
        </button>
      </div>
    );
  }
  if (state === 'refused') {
    return (
      <div className="playground-notice" role="alert">
        <p>
          <strong>The gateway refused the token</strong> ({identity.title}){detail ? `: ${detail}` : ''}. It may have
          expired, been revoked, or come from another issuer.
        </p>
        <button type="button" onClick={canSignIn ? onSignIn : canRenew ? onRenew : onForget}>
          {canSignIn ? 'Sign in again' : canRenew ? 'Get new demo tokens' : 'Forget this token'}
        </button>
      </div>
    );
  }
  if (advice && identity.token === null) {
    return (
      <div className="playground-notice" role={state === 'needsToken' ? 'alert' : 'status'}>
        <p>{advice}</p>
      </div>
    );
  }
  if (state === 'needsToken') {
    return (
      <div className="playground-notice" role="alert">
        <p>
          <strong>This needs a token</strong>
          {detail ? ` (${detail})` : ''}.{' '}
          {canSignIn ? 'Sign in, or paste a token above.' : 'Choose a role or paste a token above.'}
        </p>
      </div>
    );
  }
  if (state === 'unreachable') {
    return (
      <div className="playground-notice" role="alert">
        <p>
          <strong>The gateway does not answer.</strong> Start it again, then re-fetch the schema (Shift-Ctrl-R).
        </p>
      </div>
    );
  }
  return null;
}
