import { useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';

/** Stops what runs when the caller changes: nothing goes on under a role that was left. */
export function StopOnNewCaller({ token }: { token: string | null }) {
  const { stop } = useGraphiQLActions();
  const previous = useRef(token);
  useEffect(() => {
    if (previous.current !== token) stop();
    previous.current = token;
  }, [token, stop]);
  return null;
}
