import { type Client, createClient } from 'graphql-ws';
import { SignIn, type SignInSettings } from '../../sign-in/client/sign-in';
import { FEED, RECENT } from '../operations';

/** Rows shown at most; older ones leave at the bottom. */
const SHOWN_ENTRIES = 200;
/** Whose demo tokens are offered: those who read the activity log (rule 23; `activityReaders` in auth/role-sets.ts). */
const READERS = ['GLOBAL_ADMIN', 'ACCOUNT_ADMIN', 'REFERRAL_ADMIN', 'MARKETING_CONTENT_ADMIN', 'CUSTOMER_ADMIN'];

interface Entry {
  id: string;
  at: string;
  action: string;
  outcome: string;
  actor: { userPrincipalName: string; role: string };
  customer: { companyName: string } | null;
  resource: { label: string };
}
interface Message {
  __typename: string;
  cursor?: string;
  entry?: Entry;
  message?: string;
}

const element = <Kind extends HTMLElement>(id: string) => document.getElementById(id) as Kind;
const role = element<HTMLSelectElement>('role');
const token = element<HTMLInputElement>('token');
const action = element<HTMLSelectElement>('action');
const pause = element<HTMLButtonElement>('pause');
const rows = element<HTMLTableSectionElement>('entries');
const counts = new Map<string, number>();
const seen = new Set<string>();
let held: Entry[] | null = null;
let client: Client | null = null;
let signIn: SignIn | null = null;
let advice: string | null = null;

/** The token to ask with, as it is by now; empty: there is none. */
function bearerToken(): string {
  const signedIn = signIn?.get();
  return token.value.trim() || (signedIn?.kind === 'in' ? signedIn.token : role.value);
}

function say(state: 'live' | 'connecting' | 'closed', text: string): void {
  const status = element<HTMLOutputElement>('status');
  status.dataset['state'] = state;
  status.textContent = text;
}

/** Shows an entry on top. At least once on the wire, once on the page. */
function show(entry: Entry): void {
  if (held) {
    held.push(entry);
    pause.textContent = `Resume (${held.length})`;
    return;
  }
  if (seen.has(entry.id)) return;
  seen.add(entry.id);
  const row = rows.insertRow(0);
  row.dataset['outcome'] = entry.outcome;
  const when = new Date(entry.at).toLocaleString();
  const cells = [
    when,
    entry.action,
    `${entry.actor.userPrincipalName} (${entry.actor.role})`,
    entry.customer?.companyName ?? '',
    entry.resource.label,
    entry.outcome,
  ];
  for (const text of cells) row.insertCell().textContent = text;
  while (rows.rows.length > SHOWN_ENTRIES) rows.deleteRow(-1);
  element('empty').hidden = true;
}

function count(entry: Entry): void {
  counts.set(entry.action, (counts.get(entry.action) ?? 0) + 1);
  element('counts').replaceChildren(
    ...[...counts].map(([name, number]) =>
      Object.assign(document.createElement('li'), { textContent: `${name} ${number}` }),
    ),
  );
}

/** Offers the actions that the contract knows, once. */
function offerActions(actions: { name: string }[]): void {
  if (action.options.length > 1) return;
  for (const { name } of actions) action.add(new Option(name, name));
}

async function restart(): Promise<void> {
  await client?.dispose();
  rows.replaceChildren();
  counts.clear();
  seen.clear();
  element('counts').replaceChildren();
  element('empty').hidden = true;
  const bearer = bearerToken();
  if (!bearer) return say('closed', advice ?? `${signIn ? 'sign in' : 'choose a role'} or paste a token`);
  const filter = action.value ? { actions: [action.value] } : null;
  say('connecting', 'reading history');
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ query: RECENT, variables: { filter } }),
  });
  const { data, errors } = await response.json();
  if (!data?.activity) {
    const { retryAfter } = errors?.[0]?.extensions ?? {};
    if (retryAfter) setTimeout(() => void restart(), retryAfter * 1_000);
    return say('closed', errors?.[0]?.message ?? 'refused');
  }
  offerActions(data.__type.enumValues);
  for (const entry of data.activity.nodes as Entry[]) show(entry);
  element('empty').hidden = seen.size > 0;
  follow(data.activity.pageInfo.endCursor, filter);
}

function follow(after: string | null, filter: object | null): void {
  const url = new URL('/graphql', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  client = createClient({
    url: url.href,
    // Asked at each connection: who has signed in has a new token every hour.
    connectionParams: () => ({ authorization: `Bearer ${bearerToken()}` }),
    retryAttempts: Number.POSITIVE_INFINITY,
    keepAlive: 15_000,
    on: {
      connecting: (again) => say('connecting', again ? 'connecting again' : 'connecting'),
      closed: (event) => say('closed', `closed ${(event as CloseEvent).code} ${(event as CloseEvent).reason}`),
    },
  });
  // graphql-ws sends this same object again when it reconnects: with the cursor in it, nothing is missed.
  const variables: { after: string | null; filter: object | null } = { after, filter };
  client.subscribe<{ activity: Message }>(
    { query: FEED, variables },
    {
      next: ({ data, errors }) => {
        const message = data?.activity;
        if (!message) return say('closed', errors?.[0]?.message ?? 'refused');
        if (message.cursor) variables.after = message.cursor;
        if (message.entry) {
          count(message.entry);
          show(message.entry);
        }
        if (message.__typename === 'FeedDraining') return say('connecting', 'the gateway restarts');
        if (message.__typename === 'AccessChanged') return say('closed', message.message ?? 'access revoked');
        say('live', 'live');
      },
      error: (cause) =>
        say(
          'closed',
          cause instanceof CloseEvent
            ? `closed ${cause.code} ${cause.reason}`
            : String((cause as Error[])?.[0]?.message ?? cause),
        ),
      complete: () => undefined,
    },
  );
}

pause.addEventListener('click', () => {
  const resuming = held;
  held = held ? null : [];
  pause.setAttribute('aria-pressed', String(held !== null));
  pause.textContent = held ? 'Resume' : 'Pause';
  for (const entry of resuming ?? []) show(entry);
});
for (const control of [role, token, action]) control.addEventListener('change', () => void restart());
interface PageConfig {
  demoTokens: { role: string; title: string; token: string }[];
  signIn: SignInSettings | null;
  advice: string | null;
}
const config: PageConfig = await (await fetch('/playground/config.json')).json();
advice = config.advice;
for (const demo of config.demoTokens.filter((candidate) => READERS.includes(candidate.role)))
  role.add(new Option(demo.title, demo.token));
element('role-label').hidden = config.demoTokens.length === 0;
if (config.signIn) await offerSignIn(new SignIn(config.signIn));
await restart();

/** Who has signed in stays so for days: where the provider wants to be asked again, the page asks by itself. */
async function offerSignIn(offered: SignIn): Promise<void> {
  const button = element<HTMLButtonElement>('sign-in');
  let person: string | null = null;
  const show = () => {
    const state = offered.get();
    const isIn = state.kind === 'in';
    button.textContent = isIn ? `Sign out ${state.name}` : 'Sign in';
    if (state.kind === 'failed') say('closed', state.why);
    if (state.kind === 'ended') void offered.begin();
    const isNew = isIn && state.person !== person;
    person = isIn ? state.person : null;
    return isNew;
  };
  button.hidden = false;
  button.addEventListener('click', () => void (offered.get().kind === 'in' ? offered.end() : offered.begin()));
  await offered.resume();
  signIn = offered;
  show();
  offered.subscribe(() => {
    if (show()) void restart();
  });
}
