import type { DocumentNode, GraphQLError, OperationDefinitionNode } from 'graphql';
import { tenantScope, type Viewer } from '../auth/viewer.js';
import { type CostConfig, pointsFor } from '../config/cost-config.js';
import { ANONYMOUS } from '../config/trusted-documents-config.js';
import type { Refusals } from '../graphql/refusals.js';
import { networkOf } from '../lib/network.js';
import { Attempts } from './attempts.js';
import type { Budgets } from './budgets.js';
import type { Inputs } from './lists.js';
import { beyondBound, type Cost, overBudget } from './overspent.js';
import { points } from './points.js';
import { RefusalPace } from './refusal-pace.js';
import type { TableSizes } from './table-sizes.js';
import { UploadBudget } from './upload-budget.js';
import type { Scales } from './weigh.js';

/** Who pays: their viewer, of whom a link knows the roles alone, and the key of their account. */
export interface Payer<Known extends Pick<Viewer, 'roles'> = Pick<Viewer, 'roles'>> {
  viewer: Known;
  /** Key of the identity, or of the address of those without a token. */
  user: string;
}

/** The key of an account: the identity, or for those without a token the address. */
export function accountOf({ identity }: Viewer, addressOf: () => string | undefined): string {
  return identity?.key ?? `${ANONYMOUS} ${networkOf(addressOf() ?? 'unknown')}`;
}

/** What cost control needs. */
export interface CostControlOptions {
  config: CostConfig;
  scales: Scales;
  /** How large tables are. */
  sizes: TableSizes;
  budgets: Budgets;
  /** Refused attempts of users at keys and links, and of addresses at links. */
  attempts: Budgets;
  /** KiB that users have stored in a day. */
  stored: Budgets;
  refusals: Refusals;
}

/** An operation that may run, or why not. */
export interface Admission {
  cost: Cost;
  refusal: GraphQLError | null;
}

/** Judges what operations cost before they run, and keeps the budgets of users. */
export class CostControl {
  /** Points spent since the start, by role. */
  readonly spent = new Map<string, number>();

  /** Attempts of users at what is written down where it is refused: nobody fills the log. */
  readonly secrets: Attempts;
  /** Attempts of addresses at links, which open without a token: who tries dead or false ones pays for nothing. */
  readonly links: Attempts;
  /** Makes users wait who do not heed refusals. */
  readonly pace = new RefusalPace();
  /** What is stored of uploads. */
  readonly uploads: UploadBudget;

  constructor(private readonly options: CostControlOptions) {
    const { attempts: budgets, config, refusals, stored } = options;
    this.uploads = new UploadBudget(stored, config.uploadBudget, refusals);
    const common = { budgets, refusals };
    this.secrets = new Attempts({
      ...common,
      allowed: config.refusedAttempts,
      limit: 'refusedAttempts',
      what: 'your attempts at keys and links',
    });
    this.links = new Attempts({
      ...common,
      allowed: config.refusedLinks,
      limit: 'refusedLinks',
      what: 'the links that your address has tried',
    });
  }

  /** How large tables are taken to be. */
  get sizes(): TableSizes {
    return this.options.sizes;
  }

  /**
   * Spends what an operation costs where it is within the bounds; refuses it where it is not.
   * @param isRunnable whether its variables fit: where they do not, nothing runs, and it costs the least
   */
  admit(
    payer: Payer<Viewer>,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Record<string, unknown> | null | undefined,
    isRunnable = true,
  ): Admission {
    const { scales, budgets } = this.options;
    const { viewer, user } = payer;
    const asked = isRunnable
      ? scales.costOf(document, operation)(this.inputsOf(viewer, variables ?? {}))
      : points.operation;
    const allowed = this.allowedTo(viewer);
    const limit = this.budgetOf(viewer);
    if (asked > allowed) {
      const cost = { asked, allowed, left: budgets.left(user, limit) };
      return { cost, refusal: this.refuse(user, 'cost', beyondBound(cost)) };
    }
    const opening = isRunnable && operation.operation === 'subscription' ? points.subscription : asked;
    const spent = budgets.spend(user, limit, opening);
    const cost = { asked, allowed, left: 'left' in spent ? spent.left : budgets.left(user, limit) };
    if ('retryAfter' in spent) return { cost, refusal: this.refuse(user, 'costBudget', overBudget(spent, cost)) };
    this.note(viewer, opening);
    return { cost, refusal: null };
  }

  /**
   * Spends what it costs to parse and validate a document that nobody has sent lately, and the least of any operation,
   * which is given back where the document is valid and its operation pays for itself.
   * @returns RATE_LIMITED where the budget is spent: nothing has been made of the document
   */
  read(payer: Payer, characters: number): GraphQLError | null {
    return this.spend(payer, points.operation + Math.floor(characters * points.character));
  }

  /** Spends points before something is done. @returns RATE_LIMITED where fewer are left */
  spend({ viewer, user }: Payer, asked: number): GraphQLError | null {
    const limit = this.budgetOf(viewer);
    const spent = this.options.budgets.spend(user, limit, asked);
    if ('left' in spent) {
      this.note(viewer, asked);
      return null;
    }
    const cost = { asked, allowed: this.allowedTo(viewer), left: this.left({ viewer, user }) };
    return this.refuse(user, 'costBudget', overBudget(spent, cost));
  }

  /** Gives back points of what was not done. */
  refund({ viewer, user }: Payer, unused: number): void {
    this.options.budgets.refund(user, this.budgetOf(viewer), unused);
    this.note(viewer, -unused);
  }

  /** Whether so much of a user's budget was spent here that the others must be asked before more is done. */
  mustConfirm({ viewer, user }: Payer): boolean {
    return this.options.budgets.mustTell(user, this.budgetOf(viewer));
  }

  /**
   * Hears, before an operation runs that was spent already, what its user has spent elsewhere.
   * @returns RATE_LIMITED where the budget is spent already
   */
  async confirm({ viewer, user }: Payer, cost: Cost): Promise<GraphQLError | null> {
    const { budgets } = this.options;
    const limit = this.budgetOf(viewer);
    const settled = await budgets.settle(user, limit);
    if ('left' in settled) {
      cost.left = settled.left;
      return null;
    }
    budgets.refund(user, limit, cost.asked);
    cost.left = 0;
    return this.refuse(user, 'costBudget', overBudget(settled, cost));
  }

  /** Points that a user has left in the minute that runs. */
  left({ viewer, user }: Payer): number {
    return this.options.budgets.left(user, this.budgetOf(viewer));
  }

  /**
   * Charges an answer that is larger than what its operation was judged: it costs as much as its bytes do, and all of that is
   * in `cost` from then on. It is answered in any case: what the next operation may cost is less.
   * @param bytes that were read for it so far
   */
  answered({ viewer, user }: Payer, cost: Cost, bytes: number): void {
    const more = Math.floor(bytes * points.answeredByte) - cost.asked;
    if (more <= 0) return;
    this.note(viewer, more);
    this.options.budgets.charge(user, this.budgetOf(viewer), more);
    cost.asked += more;
    cost.left = this.left({ viewer, user });
  }

  /** Charges what was done already, such as delivering to a stream. @returns RATE_LIMITED where less was left */
  deliver({ viewer, user }: Payer, cost: number, advice = 'Come back with your last cursor.'): GraphQLError | null {
    const limit = this.budgetOf(viewer);
    this.note(viewer, cost);
    const spent = this.options.budgets.charge(user, limit, cost);
    if ('left' in spent) return null;
    const told = { asked: Math.ceil(cost), allowed: this.allowedTo(viewer), left: 0 };
    return this.refuse(user, 'costBudget', overBudget(spent, told, advice));
  }

  /**
   * Spends what the beginning of an export costs, and looking for what passes its filters, few lines or many.
   * @param filters names of those that are given
   * @returns RATE_LIMITED where that is more than is left
   */
  beginExport(payer: Payer<Viewer>, filters: readonly string[]): GraphQLError | null {
    const walk = this.options.scales.walkOf('ActivityEntry', filters, this.inputsOf(payer.viewer, {}));
    return this.spend(payer, Math.ceil(points.export + walk));
  }

  /**
   * Charges a statement of an export, by the lines that were read. One that has begun is not cut for the budget: it goes on more slowly.
   * @returns for how many milliseconds it must pause: until the next minute where the budget is spent, else 0
   */
  paceExport({ viewer, user }: Payer, lines: number): number {
    const cost = points.page + lines * points.exportedLine;
    this.note(viewer, cost);
    const spent = this.options.budgets.charge(user, this.budgetOf(viewer), cost);
    return 'left' in spent ? 0 : spent.retryAfter * 1_000;
  }

  private allowedTo({ roles }: Payer['viewer']): number {
    return pointsFor(this.options.config.operation, roles);
  }

  private budgetOf({ roles }: Payer['viewer']): number {
    return pointsFor(this.options.config.perMinute, roles);
  }

  private inputsOf(viewer: Viewer, variables: Inputs['variables']): Inputs {
    return { variables, rows: this.options.sizes.rows, ofOneTenant: tenantScope(viewer) !== null };
  }

  private note({ roles }: Payer['viewer'], cost: number): void {
    const role = roles[0] ?? ANONYMOUS;
    this.spent.set(role, (this.spent.get(role) ?? 0) + cost);
  }

  private refuse(user: string, bound: string, error: GraphQLError): GraphQLError {
    this.options.refusals.note(bound);
    this.pace.note(user);
    return error;
  }
}
