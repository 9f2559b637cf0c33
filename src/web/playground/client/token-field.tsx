import { type ClipboardEvent, type FormEvent, useState } from 'react';
import { cleanToken } from './identity';

interface TokenFieldProps {
  /** The token in use, empty when none was pasted. */
  token: string;
  onToken(token: string): void;
}

/** Takes a JWT by paste or by typing and Enter. The token lives in memory only and is gone on reload. */
export function TokenField({ token, onToken }: TokenFieldProps) {
  const [draft, setDraft] = useState('');
  const use = (text: string) => {
    setDraft('');
    onToken(cleanToken(text));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (draft) use(draft);
  };
  const paste = (event: ClipboardEvent) => {
    event.preventDefault();
    use(event.clipboardData.getData('text'));
  };

  return (
    <form className="playground-field" onSubmit={submit}>
      {token ? <span>Token</span> : <label htmlFor="token">Token</label>}
      {token ? (
        <button type="button" onClick={() => onToken('')} title="Forget the pasted token">
          Forget pasted token
        </button>
      ) : (
        <input
          id="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="paste a JWT"
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
          onPaste={paste}
        />
      )}
    </form>
  );
}
