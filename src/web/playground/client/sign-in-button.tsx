import type { SignIn, SignInState } from '../../sign-in/client/sign-in';

/** Signs in at the identity provider, and out again. */
export function SignInButton({ signIn, signedIn }: { signIn: SignIn; signedIn: SignInState }) {
  const isIn = signedIn.kind === 'in';
  return (
    <div className="playground-field">
      <button type="button" onClick={() => void (isIn ? signIn.end() : signIn.begin())}>
        {isIn ? 'Sign out' : 'Sign in'}
      </button>
    </div>
  );
}
