import { createRoot } from 'react-dom/client';
import { SignIn } from '../../sign-in/client/sign-in';
import { App } from './app';
import { fetchConfig } from './config';
import './workers';

const root = createRoot(document.getElementById('root') as HTMLElement, {
  onUncaughtError: (error) => showFailure(error),
});

start().catch(showFailure);

async function start() {
  const config = await fetchConfig();
  const signIn = config.signIn && new SignIn(config.signIn);
  await signIn?.resume();
  root.render(<App config={config} signIn={signIn} />);
}

function showFailure(error: unknown) {
  const page = createRoot(document.body.appendChild(document.createElement('div')));
  document.getElementById('root')?.remove();
  page.render(
    <p className="playground-message" role="alert">
      The playground could not start: {error instanceof Error ? error.message : String(error)}.{' '}
      <button type="button" onClick={() => location.reload()}>
        Try again
      </button>
    </p>,
  );
}
