import { useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';

/** Stops what runs when the caller changes: nothing goes on under a role that was left. */
export function StopOnNewCaller({ caller }: { caller: string }) {
  const { stop } = useGraphiQLActions();
  const previous = useRef(caller);
  useEffect(() => {
    if (previous.current !== caller) stop();
    previous.current = caller;
  }, [caller, stop]);
  return null;
}
