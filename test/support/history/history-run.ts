import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Balancer, startBalancer } from './balancer.js';
import { type Committed, checkHistory, type Violation } from './check-history.js';
import { type Cluster, clusterPrograms, startCluster } from './cluster.js';
import { come, type GatewayProcess, killAllProcesses, post, processToken, startProcess } from './gateway-process.js';
import { followByEvents, followBySocket, hasArrived, type Subscriber } from './subscribers.js';
import { newTrading, stock, type TraderOptions, trade, tradeInThePast } from './traders.js';
import { connected, labelOf, newWriting, WRITTEN_ACTIONS, type WriterOptions, write } from './writers.js';

const REVOKE = 'mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { __typename } }';
const BEGIN = 'subscription { activity { __typename ... on FeedCaughtUp { cursor } } }';
/** How long nobody may get anything at the end before what they lack counts as missing. */
const PATIENCE_MS = 60_000;
/** How long what waits may take at the end: months are closed each minute. */
const SETTLING_MS = 180_000;

/** What a run does to the gateways, the database and the lines between. */
export type Nemesis = 'kill' | 'deploy' | 'terminate back ends' | 'cut' | 'restart' | 'crash' | 'revoke';

/** How large a run is. */
export interface RunOptions {
  gateways: number;
  writers: number;
  restMs: number;
  longMs: number;
  longEvery: number;
  /** How many buy and cancel through the gateways; with any, one more does so in months that are over. None where left out. */
  traders?: number;
  /** The database where no server of its own can be made: it is not restarted then. */
  databaseUrl?: string;
}

/** A run: gateways, writers and subscribers that are going, and what can be done to them. */
export class HistoryRun {
  readonly writing = newWriting();
  readonly trading = newTrading();
  readonly subscribers: Subscriber[] = [];
  /** How often each was done. */
  readonly done: Record<Nemesis, number> = {
    kill: 0,
    deploy: 0,
    'terminate back ends': 0,
    cut: 0,
    restart: 0,
    crash: 0,
    revoke: 0,
  };
  /** Processes that ended though nobody ended them, or did not end as they should. */
  readonly surprises: string[] = [];
  /** Mutations through gateways that were answered. */
  mutations = 0;
  gateways: GatewayProcess[] = [];
  private readonly stopWriting = new AbortController();
  private writers: Promise<void>[] = [];
  private begin = '';
  private readonly toBeRevoked: string[] = [];

  private constructor(
    readonly options: RunOptions,
    readonly url: string,
    private readonly cluster: Cluster | null,
    private readonly folder: string,
    private readonly balancer: Balancer,
    private readonly token: string,
  ) {}

  /** Starts database, gateways and balancer. */
  static async start(options: RunOptions): Promise<HistoryRun> {
    const programs = clusterPrograms();
    const cluster = programs ? await startCluster(programs) : null;
    const url = cluster?.url ?? options.databaseUrl;
    if (url === undefined) throw new Error('neither PostgreSQL’s programs nor a database');
    const folder = mkdtempSync(join(tmpdir(), 'csp-graph-history-'));
    const run = new HistoryRun(options, url, cluster, folder, await startBalancer(), await processToken());
    // All at once: each brings the tables up to date, and they must not get into each other's way.
    await Promise.all(Array.from({ length: options.gateways }, () => run.add()));
    run.begin = await run.beginning();
    return run;
  }

  /** Whether the database may be restarted. */
  get canRestart(): boolean {
    return this.cluster !== null;
  }

  /** Lets writers write and mutations run, until `finish`. */
  write(): void {
    const { writers, restMs, longMs, longEvery } = this.options;
    const { signal } = this.stopWriting;
    const options: WriterOptions = { url: this.url, writing: this.writing, signal, restMs, longMs, longEvery };
    this.writers = Array.from({ length: writers }, () => write(options));
    this.writers.push(this.mutate(signal));
    if (this.options.traders) this.writers.push(this.trade(this.options.traders));
  }

  private async trade(traders: number): Promise<void> {
    const customers = await stock(this.url);
    const buyers = Array.from({ length: 20 }, (_, place) => `buyer-${place}@partner.example`);
    const options: TraderOptions = {
      url: this.balancer.url,
      databaseUrl: this.url,
      dataDir: this.folder,
      tokens: await Promise.all(buyers.map((user) => processToken('ADMIN_AGENT', user))),
      trading: this.trading,
      signal: this.stopWriting.signal,
      restMs: this.options.restMs,
      acknowledge: (label) => void this.writing.acknowledged.set(label, Date.now()),
    };
    const trading = Array.from({ length: traders }, () => trade(options, customers));
    await Promise.all([...trading, tradeInThePast(options, customers)]);
  }

  /** One subscriber of each kind, from the beginning; the last one can be revoked. */
  async subscribe(round = 1): Promise<void> {
    const { url } = this.balancer;
    const common = { url, token: this.token, after: this.begin };
    this.subscribers.push(
      followBySocket({ ...common, name: `quick ${round}` }),
      followBySocket({ ...common, name: `slow ${round}`, pauseMs: 300 }),
      followBySocket({ ...common, name: `filtered ${round}`, action: WRITTEN_ACTIONS[0] }),
      followBySocket({ ...common, name: `restless ${round}`, reconnectEvery: 400 }),
      followByEvents({ ...common, name: `events ${round}` }),
      followByEvents({ ...common, name: `filtered events ${round}`, action: WRITTEN_ACTIONS[1] }),
    );
    await this.subscribeRevocable(`revoked ${round}`);
  }

  /** A subscriber that `revoke` will strike, each once. */
  async subscribeRevocable(name: string): Promise<void> {
    const user = `revoked-${randomUUID()}@partner.example`;
    this.toBeRevoked.push(user);
    const token = await processToken(undefined, user);
    this.subscribers.push(followBySocket({ url: this.balancer.url, after: this.begin, token, name, revokedBy: user }));
  }

  /** Subscribers that `revoke` will strike. */
  get revocable(): number {
    return this.toBeRevoked.length;
  }

  /** Does one thing to the run and waits until it is done. */
  async strike(nemesis: Nemesis): Promise<void> {
    await this.strikes[nemesis]();
    this.done[nemesis] += 1;
  }

  private readonly strikes: Record<Nemesis, () => Promise<void> | void> = {
    kill: async () => {
      const victim = this.any();
      victim.kill('SIGKILL');
      await victim.exited;
      this.remove(victim);
      await this.add();
    },
    deploy: async () => {
      const old = this.any();
      await this.add();
      // As a deploy does: the balancer sends nobody there any more, then it is told to stop.
      this.remove(old);
      old.kill('SIGTERM');
      const { code } = await old.exited;
      if (code !== 0) this.surprises.push(`a deploy ended with ${code}: ${old.log.join('')}`);
    },
    'terminate back ends': async () => {
      const connection = await connected(this.url);
      await connection.query(
        `select pg_terminate_backend(pid) from (select pid from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
         order by random() limit 5) as victims`,
      );
      await connection.end();
    },
    cut: () => this.balancer.cut(),
    restart: () => this.cluster?.restart('fast'),
    crash: () => this.cluster?.restart('immediate'),
    revoke: async () => {
      const user = this.toBeRevoked[0];
      if (user === undefined) throw new Error('there is nobody left to revoke');
      // Once only: a second entry would bear the same label.
      for (let tries = 0; !(await this.isRevoked(user)); tries += 1) {
        if (tries > 20) throw new Error('a revocation did not go through');
        await this.revoke(user).catch(() => undefined);
        await setTimeout(200);
      }
      this.toBeRevoked.shift();
    },
  };

  /** Ends the writing, waits for the subscribers, and holds everything against the log. */
  async finish(): Promise<{ violations: Violation[]; log: Committed[] }> {
    this.stopWriting.abort();
    await Promise.all(this.writers);
    for (const subscriber of this.subscribers) subscriber.hurry();
    await this.settle();
    const log = await readLog(this.url);
    let delivered = -1;
    for (let quietSince = Date.now(); Date.now() - quietSince < PATIENCE_MS; ) {
      if (this.subscribers.every((subscriber) => hasArrived(subscriber, log))) break;
      const sum = this.subscribers.reduce((all, { arrivedAt }) => all + arrivedAt.length, 0);
      if (sum !== delivered) quietSince = Date.now();
      delivered = sum;
      await setTimeout(50);
    }
    await Promise.all(this.subscribers.map((subscriber) => subscriber.stop()));
    const observations = this.subscribers.map(({ observation }) => observation);
    return { violations: checkHistory(log, observations, this.writing.acknowledged.keys()), log };
  }

  /** Waits until no job waits and no month is to be closed: from then on nothing is written any more. */
  private async settle(): Promise<void> {
    const connection = await connected(this.url);
    const end = Date.now() + SETTLING_MS;
    for (let open = ['?']; open.length > 0; ) {
      const { rows } = await connection.query<{ what: string }>(
        `select kind || ' of an order, ' || state as what from jobs
         union all
         select 'the month of ' || period_start from invoices
         where issued_at is null and period_start < date_trunc('month', now() at time zone 'UTC')`,
      );
      open = rows.map(({ what }) => what);
      if (open.length > 0 && Date.now() > end) {
        this.surprises.push(`${open.length} things stay open: ${open.slice(0, 5).join('; ')}`);
        break;
      }
      await setTimeout(200);
    }
    const { bought, open: unanswered } = this.trading;
    const { rows } = await connection.query<{ orders: number }>('select count(*)::int as orders from orders');
    const { orders } = rows[0] as { orders: number };
    if (orders < bought || orders > bought + unanswered)
      this.surprises.push(`${orders} orders, where ${bought} purchases and perhaps ${unanswered} more were made`);
    this.surprises.push(...this.trading.refused);
    await connection.end();
  }

  /** Ends everything that was started. */
  async stop(): Promise<void> {
    this.stopWriting.abort();
    await Promise.allSettled([...this.writers, ...this.subscribers.map((subscriber) => subscriber.stop())]);
    this.gateways = [];
    await killAllProcesses();
    this.balancer.close();
    this.cluster?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async add(): Promise<void> {
    const gateway = await startProcess(this.url, this.folder);
    void gateway.exited.then(({ code, signal }) => {
      if (this.gateways.includes(gateway)) {
        // Nobody has taken it out first.
        if (signal !== 'SIGKILL')
          this.surprises.push(`a gateway ended with ${code ?? signal}: ${gateway.log.join('')}`);
      }
    });
    this.gateways.push(gateway);
    this.balance();
  }

  private remove(gateway: GatewayProcess): void {
    this.gateways = this.gateways.filter((other) => other !== gateway);
    this.balance();
  }

  private balance(): void {
    this.balancer.use(this.gateways.map(({ url }) => url));
  }

  private any(): GatewayProcess {
    return this.gateways[Math.floor(Math.random() * this.gateways.length)] as GatewayProcess;
  }

  /** The cursor at which the log is still empty. */
  private async beginning(): Promise<string> {
    const response = await fetch(`${this.balancer.url}/graphql/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      body: JSON.stringify({ query: BEGIN }),
    });
    for await (const chunk of (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
      new TextDecoderStream(),
    )) {
      const [, cursor] = /"cursor":"([^"]+)"/.exec(chunk) ?? [];
      if (cursor) return cursor;
    }
    throw new Error('the feed did not say where it begins');
  }

  /** Entries of the use cases, through gateways: each under a name that is used once. */
  private async mutate(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const user = `${randomUUID()}@partner.example`;
      if (await this.revoke(user).catch(() => false)) {
        this.mutations += 1;
        this.writing.acknowledged.set(user, Date.now());
      }
      await setTimeout(100);
    }
  }

  private async revoke(userPrincipalName: string): Promise<boolean> {
    await come(this.balancer.url, userPrincipalName);
    const { data } = await post(this.balancer.url, this.token, REVOKE, { input: { userPrincipalName } });
    return data?.revokeAccess?.__typename === 'RevokeAccessSuccess';
  }

  private async isRevoked(user: string): Promise<boolean> {
    const connection = await connected(this.url);
    const { rows } = await connection.query('select from activity_entries where resource_label = $1', [user]);
    await connection.end();
    return rows.length > 0;
  }
}

/** Every committed row, in commit order. */
export async function readLog(url: string): Promise<Committed[]> {
  const connection = await connected(url);
  const { rows } = await connection.query<{ xid: string; seq: string; label: string; action: string }>(
    `select xid::text as xid, seq::text as seq, resource_label as label, action from activity_entries
     order by activity_entries.xid, activity_entries.seq`,
  );
  await connection.end();
  return rows.map(({ label, ...row }) => ({
    ...row,
    label: labelOf(row.action, label),
    xid: BigInt(row.xid),
    seq: BigInt(row.seq),
  }));
}
