import { SignIn, type SignInSettings } from './sign-in';

/** Where the identity provider leads back to: trades the code for tokens and goes on to the page where it began. */
async function complete(): Promise<void> {
  const answer = await fetch('/playground/config.json', { cache: 'no-store' });
  const { signIn }: { signIn: SignInSettings | null } = await answer.json();
  if (!signIn) throw new Error('Nobody signs in at an identity provider here.');
  location.replace(await new SignIn(signIn).complete(location.href));
}

complete().catch((error: Error) => {
  // The code in the address is used up, or is none.
  history.replaceState(null, '', '/signed-in');
  const message = document.getElementById('message') as HTMLElement;
  message.textContent = error.message;
  message.setAttribute('role', 'alert');
  (document.getElementById('back') as HTMLElement).hidden = false;
});
