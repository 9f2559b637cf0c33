import { connection } from './connection';
import type { Identity } from './identity';
import { useWatched } from './watched';

interface NoticeProps {
  identity: Identity;
  /** The token is a demo token, which the gateway can sign anew. */
  canRenew: boolean;
  onRenew(): void;
  onForget(): void;
}

/** Says what is wrong with the caller or the connection, and what to do. */
export function Notice({ identity, canRenew, onRenew, onForget }: NoticeProps) {
  const { state, detail } = useWatched(connection.http);
  if (state === 'refused') {
    return (
      <div className="playground-notice" role="alert">
        <p>
          <strong>The gateway refused the token</strong> ({identity.title}){detail ? `: ${detail}` : ''}. It may have
          expired, been revoked, or come from another issuer.
        </p>
        <button type="button" onClick={canRenew ? onRenew : onForget}>
          {canRenew ? 'Get new demo tokens' : 'Forget this token'}
        </button>
      </div>
    );
  }
  if (state === 'needsToken') {
    return (
      <div className="playground-notice" role="alert">
        <p>
          <strong>This needs a token</strong>
          {detail ? ` (${detail})` : ''}. Choose a role or paste a token above.
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
