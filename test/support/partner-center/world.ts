import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Faults } from './faults.js';
import { seededState } from './seed.js';
import type { AuditRecord, State } from './state.js';

const MINUTE_MS = 60_000;

/** How a simulator is set up. */
export interface WorldOptions {
  /** The same seed, the same customers, products and ids. */
  seed?: number;
  customers?: number;
  /** A sandbox tenant, with its limits. */
  isSandbox?: boolean;
  /** The instant at which its clock starts, and stands still; left out: it goes with the machine's. */
  now?: Date;
  /** How far lists are behind. */
  listLagMs?: number;
  /** How long provisioning takes. */
  provisioningMs?: number;
  /** Calls that it answers in a minute; 0: any number. */
  callsPerMinute?: number;
  /** Seconds that it asks to wait for. */
  retryAfterSeconds?: number;
  /** A file that keeps its state, so that it survives being killed. */
  stateFile?: string;
}

/** The small state behind the simulator, with its clock, its dice and its faults. */
export class World {
  readonly state: State;
  readonly faults: Faults;
  readonly options: Required<Omit<WorldOptions, 'now' | 'stateFile'>>;
  readonly partnerId = '5d0c8a3e-0000-4000-8000-000000000001';
  private readonly stateFile: string | undefined;

  constructor({ now, stateFile, ...given }: WorldOptions = {}) {
    this.options = {
      seed: 1,
      customers: 12,
      isSandbox: false,
      listLagMs: 15 * MINUTE_MS,
      provisioningMs: MINUTE_MS,
      callsPerMinute: 500,
      retryAfterSeconds: 1,
      ...given,
    };
    this.stateFile = stateFile;
    this.state =
      stateFile && existsSync(stateFile)
        ? (JSON.parse(readFileSync(stateFile, 'utf8')) as State)
        : seededState(this.options.seed, this.options.customers, now?.getTime() ?? null);
    this.faults = new Faults(() => this.random());
  }

  /** Milliseconds since 1970 by the simulator's clock. */
  now(): number {
    return this.state.frozenMs ?? Date.now() + this.state.offsetMs;
  }

  advance(ms: number): void {
    if (this.state.frozenMs === null) this.state.offsetMs += ms;
    else this.state.frozenMs += ms;
  }

  /** From 0 to 1, the same for the same seed (mulberry32). */
  random(): number {
    this.state.random = (this.state.random + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state.random ^ (this.state.random >>> 15), 1 | this.state.random);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  hex(length: number): string {
    let text = '';
    while (text.length < length) text += Math.floor(this.random() * 16).toString(16);
    return text;
  }

  guid(): string {
    const hex = this.hex(32);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** An id as modern orders have it: base64url, case counts. */
  orderId(): string {
    return createHash('sha256').update(this.hex(32)).digest('base64url').slice(0, 33);
  }

  /** As the service writes instants: seven decimals. */
  iso(ms: number): string {
    return new Date(ms).toISOString().replace('Z', '0000Z');
  }

  customerName(id: string): string {
    return this.state.customers.find((one) => one.id === id)?.companyName ?? '';
  }

  /** Writes an audit record, which is answered at once unless records come late. */
  record(
    what: Pick<AuditRecord, 'customerId' | 'resourceType' | 'operationType'> &
      Partial<
        Pick<AuditRecord, 'userPrincipalName' | 'originalCorrelationId' | 'customizedData' | 'operationStatus'>
      > & {
        value: unknown;
      },
  ): void {
    const now = this.now();
    const { value, ...rest } = what;
    const text = JSON.stringify(value);
    const ticks = `${(now + 62_135_596_800_000) * 10_000 + this.state.audit.length}`;
    this.state.audit.push({
      id: `${this.partnerId}_${what.customerId}_${this.hex(12)}_${what.operationType}_${ticks}`,
      customerName: this.customerName(what.customerId),
      userPrincipalName: 'app@partner.example',
      operationStatus: 'succeeded',
      originalCorrelationId: this.guid(),
      customizedData: [],
      ...rest,
      resourceNewValue: this.faults.strikes('auditValuesCut') ? text.slice(0, text.length / 2) : text,
      resourceOldValue: '',
      operationMs: now,
      visibleMs: this.faults.strikes('auditRecordsLate') ? now + Math.ceil(this.random() * 120) * MINUTE_MS : now,
    });
  }

  /** Puts an event into the queue of webhooks, if somebody is registered for it. */
  hint(event: string, uri: string, name: string): void {
    if (!this.state.registration?.WebhookEvents.includes(event)) return;
    const now = this.now();
    const late = this.faults.strikes('webhookLate') ? Math.ceil(this.random() * 48) * 60 * MINUTE_MS : 0;
    const shuffled = this.faults.strikes('webhookOutOfOrder') ? Math.ceil(this.random() * 60) * MINUTE_MS : 0;
    const delivery = { event, uri, name, changedMs: now, dueMs: now + late + shuffled, tries: 0 };
    this.state.deliveries.push(delivery);
    if (this.faults.strikes('webhookTwice')) this.state.deliveries.push({ ...delivery });
  }

  /** Writes the state down, where it has a file: what was answered is there after a kill. */
  save(): void {
    if (!this.stateFile) return;
    writeFileSync(`${this.stateFile}.new`, JSON.stringify(this.state));
    renameSync(`${this.stateFile}.new`, this.stateFile);
  }
}
