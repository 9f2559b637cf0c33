import { connection, type HttpStatus, type SocketStatus } from './connection';
import { describeToken, type Identity } from './identity';
import { useWatched } from './watched';

const HTTP_WORDS: Record<HttpStatus['state'], string> = {
  checking: 'connecting',
  ready: 'connected',
  refused: 'token refused',
  needsToken: 'token needed',
  unreachable: 'gateway unreachable',
};

const SOCKET_WORDS: Record<SocketStatus['state'], string> = {
  idle: 'socket idle',
  connecting: 'socket connecting',
  reconnecting: 'socket reconnecting',
  open: 'socket open',
  closed: 'socket closed',
};

/** The connection in a few words, read aloud when it changes. */
export function Status({ identity }: { identity: Identity }) {
  const http = useWatched(connection.http);
  const socket = useWatched(connection.socket);
  const socketWords = [SOCKET_WORDS[socket.state], socket.detail].filter(Boolean).join(' ');
  return (
    <p
      className="playground-status"
      role="status"
      data-http={http.state}
      data-socket={socket.state}
      title={identity.token ? describeToken(identity.token) : 'no token is sent'}
    >
      <span className="playground-dot" aria-hidden="true" />
      {identity.title} · {HTTP_WORDS[http.state]} · {socketWords}
    </p>
  );
}
