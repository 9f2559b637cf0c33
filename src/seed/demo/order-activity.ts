import type { ActivityDetails } from '../../activity-log/activity-detail.js';
import type { Actor } from '../../activity-log/record-activity.js';
import { encryptProductKey, newProductKey, ownerOf } from '../../modules/entitlements/product-key.js';
import type { ReferenceSoftwareVersion } from '../reference/reference-data.js';
import type { Demo } from './demo.js';
import type { DemoLine, DemoOrder } from './demo-order.js';
import { demoId } from './numbers.js';
import { curious, holderOf, keyReader } from './people.js';
import { askSupport } from './support.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A link's life and its downloads (rule 11). */
const LINK_LIFE_MS = 14 * DAY_MS;
const MAXIMUM_DOWNLOADS = 50;
/** How long after a purchase people still ask for keys and downloads. */
const INTEREST_MS = 150 * DAY_MS;
/** At most as many activity for one order, however many entries are still wanted. */
const MAXIMUM_ACTIONS = 60;

type DeedAction = 'PRODUCT_KEY_REVEALED' | 'DOWNLOAD_LINK_CREATED' | 'SOFTWARE_DOWNLOADED' | 'ACCESS_DENIED';
/** What is written of a unit: the action with the detail that fits it. */
type UnitOfWork = { [Action in DeedAction]: { action: Action; detail: ActivityDetails[Action] } }[DeedAction];

/** What may be done with a line, and until when. */
interface OpenLine {
  line: DemoLine;
  from: number;
  until: number;
}

/** What is done with an order: keys shown, links made and used, support asked, refusals. */
export class OrderActivity {
  private readonly open: OpenLine[];
  private readonly keyShownAt = new Map<string, { line: DemoLine; version: string; at: Date }>();
  private links = 0;

  constructor(
    private readonly demo: Demo,
    private readonly order: DemoOrder,
  ) {
    this.open = order.lines
      .filter(({ sku }) => sku.softwareVersions.length > 0)
      .map((line) => ({ line, from: order.placedAt.getTime() + 2 * MINUTE_MS, until: this.endOf(line) }))
      .filter(({ from, until }) => until > from + 10 * MINUTE_MS);
  }

  /** Does things until the log has `entries` of them, or there is nothing more to do with this order. */
  doUntil(entries: number): void {
    const { demo, order } = this;
    for (let action = 0; action < MAXIMUM_ACTIONS && demo.activity.written < entries; action++) {
      if (demo.random.chance(0.06) && order.placedAt.getTime() < demo.now.getTime() - DAY_MS) askSupport(demo, order);
      else if (this.open.length === 0) return;
      else this.doSomething(demo.random.pick(this.open));
    }
  }

  /** Shows a key of the line at an instant, of the newest version unless told. */
  revealKey(
    line: DemoLine,
    at: Date,
    version = (line.sku.softwareVersions[0] as ReferenceSoftwareVersion).version,
  ): void {
    const name = `${line.lineNumber}/${version}`;
    const before = this.keyShownAt.get(name);
    if (!before || at < before.at) this.keyShownAt.set(name, { line, version, at });
    this.write(line, at, { action: 'PRODUCT_KEY_REVEALED', detail: { version, isInvented: true } }, this.someReader());
  }

  /** Makes a link for the line and downloads from it, all before `until`. */
  makeLink(line: DemoLine, at: Date, version: ReferenceSoftwareVersion, downloads: number, until: number): void {
    const { demo, order } = this;
    const actor = this.someReader();
    const choice = {
      version: version.version,
      language: demo.random.pick(version.languages),
      architecture: demo.random.pick(version.architectures),
    };
    const id = demoId(demo.seed, `order/${order.index}/link/${this.links}`);
    const expiresAt = new Date(at.getTime() + LINK_LIFE_MS);
    this.links += 1;
    demo.batch.add('download_links', {
      id,
      entitlement_id: line.entitlementId,
      ...choice,
      created_at: at.toISOString(),
      created_by: actor.userPrincipalName,
      created_by_role: actor.role,
      created_by_identity: actor.identity?.key ?? null,
      expires_at: expiresAt.toISOString(),
      maximum_downloads: MAXIMUM_DOWNLOADS,
      downloads,
      revoked_at: line.revokedAt?.toISOString() ?? null,
    });
    this.write(
      line,
      at,
      { action: 'DOWNLOAD_LINK_CREATED', detail: { ...choice, expiresAt: expiresAt.toISOString() } },
      actor,
    );
    const last = Math.min(until, expiresAt.getTime());
    const times = Array.from(
      { length: downloads },
      () => at.getTime() + 1 + Math.floor(demo.random.fraction() * (last - at.getTime() - 1)),
    ).sort((a, b) => a - b);
    for (const [place, time] of times.entries()) {
      const remainingDownloads = MAXIMUM_DOWNLOADS - place - 1;
      this.write(
        line,
        new Date(time),
        { action: 'SOFTWARE_DOWNLOADED', detail: { ...choice, remainingDownloads, address: `203.0.113.${1 + place}` } },
        holderOf(actor),
      );
    }
  }

  /** Encrypts a key for every line and version that was shown and not revoked since (rules 8 and 18). */
  writeKeys(): void {
    for (const { line, version, at } of this.keyShownAt.values()) {
      if (line.revokedAt) continue;
      const encrypted = encryptProductKey(newProductKey(), this.demo.encryption, ownerOf(line.entitlementId, version));
      this.demo.batch.add('product_keys', {
        entitlement_id: line.entitlementId,
        version,
        key_id: this.demo.encryption.keyId,
        sealed: `\\x${encrypted.toString('hex')}`,
        issued_at: at.toISOString(),
        is_invented: true,
      });
    }
  }

  private doSomething({ line, from, until }: OpenLine): void {
    const { random } = this.demo;
    // Most is done soon after the purchase.
    const at = new Date(Math.floor(from + (until - from) * random.fraction() ** 3));
    const version = random.weighted(line.sku.softwareVersions, (candidate) =>
      candidate === line.sku.softwareVersions[0] ? 6 : 1,
    );
    if (random.chance(0.04)) this.refuse(line, at);
    else if (random.chance(0.6)) this.revealKey(line, at, version.version);
    else this.makeLink(line, at, version, until > at.getTime() + MINUTE_MS ? random.whole(0, 4) : 0, until);
  }

  private refuse(line: DemoLine, at: Date): void {
    const actor = this.demo.random.pick(curious);
    const operation = this.demo.random.pick(['revealProductKey', 'createDownloadLink']);
    this.write(
      line,
      at,
      { action: 'ACCESS_DENIED', detail: { operation, reason: `role ${actor.role} may not`, attempts: 1 } },
      actor,
    );
  }

  private write(line: DemoLine, at: Date, unit: UnitOfWork, actor: Actor): void {
    const { demo, order } = this;
    const isDenied = unit.action === 'ACCESS_DENIED';
    demo.activity.write(demo, at, {
      ...unit,
      outcome: isDenied ? 'DENIED' : 'SUCCEEDED',
      actor,
      customerId: order.customer.id,
      orderId: isDenied ? null : order.id,
      productIds: [line.sku.productId],
      resource: {
        type: unit.action === 'SOFTWARE_DOWNLOADED' ? 'DOWNLOAD_LINK' : 'ENTITLEMENT',
        id: line.entitlementId,
        label: line.sku.title,
      },
      correlationId: demo.activity.nextCorrelationId(demo),
    });
  }

  private someReader(): Actor {
    return keyReader(this.demo.random, this.order.customer.domain);
  }

  private endOf(line: DemoLine): number {
    const ends = [this.demo.now, line.term?.over, line.leftAt, new Date(this.order.placedAt.getTime() + INTEREST_MS)];
    return Math.min(...ends.filter((end) => end instanceof Date).map((end) => end.getTime()));
  }
}
