import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { sealNext } from '../../src/activity-log/seal/sealer.js';
import { verifyDatabase } from '../../src/activity-log/seal/verify-database.js';
import { AdvisoryLock } from '../../src/database/advisory-locks.js';
import { engine, serverUrl, type TestDatabase, testDatabase } from '../support/database.js';
import { insertEntries } from '../support/entries.js';
import { startTestGateway, type TestGateway } from '../support/gateway.js';
import { aCustomer, buy, skus, stockShop } from '../support/shop.js';
import { settled } from '../support/software.js';
import { until } from '../support/until.js';

const run = promisify(execFile);
const onServerOnly = serverUrl ? describe : describe.skip;

interface Row {
  xid: string;
  seq: string;
  id: string;
}

describe(`tamper evidence, on ${engine}`, () => {
  let gateway: TestGateway;
  let rows: Row[];
  const kysely = () => gateway.gateway.services.kysely;
  beforeAll(async () => {
    gateway = await startTestGateway();
    await stockShop(gateway);
    await buy(gateway, await aCustomer(gateway), [{ ...skus.perpetual, quantity: 2 }]);
    await gateway.sql(insertEntries, [1_199]);
    await sealAll();
    await gateway.sql(insertEntries, [30]);
    await sealAll();
    rows = await gateway.sql<Row>(
      'select xid::text as xid, seq::text as seq, id from activity_entries e order by e.xid, e.seq',
    );
  });
  afterAll(() => gateway.stop());

  /** Seals whatever there is, at once: others' transactions hold the horizon back, and would part it into more seals. */
  async function sealAll() {
    await settled(gateway);
    while (await sealNext(kysely()));
  }
  /** What verification says of a log that its owner tampered with. Everything is put back afterwards. */
  async function saidAfter(statements: string[], head: string | null = null): Promise<string | null> {
    await gateway.sql('create table kept_entries as table activity_entries');
    await gateway.sql('create table kept_seals as table activity_seals');
    const triggers = async (what: string) => {
      for (const table of ['activity_entries', 'activity_seals'])
        await gateway.sql(`alter table ${table} ${what} trigger user`);
    };
    await triggers('disable');
    try {
      for (const statement of statements) await gateway.sql(statement);
      return (await verifyDatabase(kysely(), head)).problem;
    } finally {
      await gateway.sql('delete from activity_entries');
      await gateway.sql('delete from activity_seals');
      await gateway.sql('insert into activity_entries select * from kept_entries');
      await gateway.sql('insert into activity_seals select * from kept_seals');
      await gateway.sql('drop table kept_entries, kept_seals');
      await triggers('enable');
    }
  }
  const update = (row: Row, what: string) => `update activity_entries set ${what} where seq = ${row.seq}`;
  /** First, last, around the border of the first two seals, and some at random. */
  const places = () => [
    0,
    1,
    999,
    1_000,
    1_200,
    rows.length - 1,
    ...[1, 2, 3].map(() => Math.floor(Math.random() * rows.length)),
  ];
  const at = (place: number) => rows[place] as Row;
  const position = ({ xid, seq }: Row) => `${xid}.${seq}`;

  test('an untouched log is what was sealed', async () => {
    expect(await saidAfter([])).toBeNull();
    const { facts } = await verifyDatabase(kysely(), null);
    expect(facts[0]).toBe(`1231 entries in 3 seals, up to position ${position(at(rows.length - 1))}`);
  });

  test.each([
    "at = at + interval '1 millisecond'",
    "action = 'SOFTWARE_DOWNLOADED'",
    "outcome = 'DENIED'",
    "actor = 'eve@partner.example'",
    "actor_role = 'GLOBAL_ADMIN'",
    "application = ''",
    "customer_id = '00000000-0000-4000-8000-000000000000'",
    "order_id = '00000000-0000-4000-8000-000000000000'",
    "product_ids = '{DG7GMGF0FKZV,X}'",
    "resource_type = 'USER'",
    "resource_id = 'x'",
    "resource_label = resource_label || ' '",
    "correlation_id = '00000000-0000-4000-8000-000000000000'",
    'detail = detail || \'{"more": 1.0}\'',
    "id = '00000000-0000-4000-8000-000000000000'",
  ])('an edit is named: %s', async (what) => {
    const row = at(700);
    expect(await saidAfter([update(row, what)])).toMatch(
      new RegExp(`^Entry 701 of the log \\(position ${position(row)}, act_.*\\) is not what was sealed`),
    );
  });

  test('an edit is named wherever it is', async () => {
    for (const place of places())
      expect(await saidAfter([update(at(place), "actor = 'eve@partner.example'")])).toContain(
        `Entry ${place + 1} of the log (position ${position(at(place))}, act_${at(place).id}) is not`,
      );
  });

  test('a deletion is named wherever it was', async () => {
    for (const place of places()) {
      const said = await saidAfter([`delete from activity_entries where seq = ${at(place).seq}`]);
      expect(said).toContain(`Entry ${place + 1} of the log is missing: it was `);
      const closes = [999, 1_000 - 1, 1_200, rows.length - 1].includes(place);
      expect(said).toContain(closes ? `at position ${position(at(place))}` : `and ${position(at(place + 1))}`);
    }
    expect(await saidAfter(['delete from activity_entries'])).toContain('Entry 1 of the log is missing');
  });

  test('an entry that is put between others is named', async () => {
    // Beside a sealed one, in its own transaction's place; and before everything.
    for (const place of [0, 500, 1_100]) {
      const seq = -place - 1;
      const said = await saidAfter([
        insertEntries.replace('?', '1'),
        `update activity_entries set xid = '${at(place).xid}', seq = ${seq} where seq = (select max(seq) from activity_entries)`,
      ]);
      const first = rows.findIndex(({ xid }) => xid === at(place).xid);
      expect(said).toContain(`Entry ${first + 1} of the log (position ${at(place).xid}.${seq}, `);
      expect(said).toContain('was put there after the log was sealed');
    }
    const earliest = await saidAfter([
      insertEntries.replace('?', '1'),
      "update activity_entries set xid = '0', seq = -7 where seq = (select max(seq) from activity_entries)",
    ]);
    expect(earliest).toContain('Entry 1 of the log (position 0.-7, ');
  });

  test('entries that change places are named by the first', async () => {
    for (const [one, other] of [
      [3, 4],
      [10, 1_220],
    ] as const) {
      const columns = 'actor, resource_label, correlation_id, at';
      const swapped = `update activity_entries a set (${columns}) = (select b.actor, b.resource_label, b.correlation_id, b.at from kept_entries b
        where b.seq = case a.seq when ${at(one).seq} then ${at(other).seq} else ${at(one).seq} end) where a.seq in (${at(one).seq}, ${at(other).seq})`;
      expect(await saidAfter([swapped])).toContain(`Entry ${one + 1} of the log (position ${position(at(one))}, `);
      const moved = `update activity_entries a set seq = -a.seq where a.seq in (${at(one).seq}, ${at(other).seq})`;
      expect(await saidAfter([moved])).toMatch(/^Entry \d+ of the log/);
    }
  });

  test('seals that were changed or taken away are named', async () => {
    expect(await saidAfter(['delete from activity_seals where number = 2'])).toContain('Seal 2 is missing');
    expect(await saidAfter(["update activity_seals set hash = sha256('x') where number = 2"])).toContain(
      'Seal 2 (entries 1001 to 1201',
    );
    expect(
      await saidAfter([
        "update activity_seals set leaves = overlay(leaves placing '\\x00000000' from 1) where number = 3",
      ]),
    ).toContain('Seal 3 (');
    expect(await saidAfter([`update activity_seals set seq = seq - 1 where number = 3`])).toContain(
      'Entry 1231 of the log is missing',
    );
  });

  test('a seal whose place or count was changed hides no entry, though the chain is whole', async () => {
    const [{ head }] = (await gateway.sql(
      "select encode(hash, 'hex') as head from activity_seals where number = 3",
    )) as [{ head: string }];
    // After the last entry of seal 2, before the first of seal 3.
    const inserted = [
      insertEntries.replace('?', '1'),
      `update activity_entries set xid = '${at(1_200).xid}', seq = 1000000000 where seq = (select max(seq) from activity_entries)`,
    ];
    const stretched = 'update activity_seals set seq = 1000000000 where number = 2';
    const shortened = [
      'alter table activity_seals drop constraint activity_seals_leaves',
      'update activity_seals set entries = 200 where number = 2',
    ];
    expect(await saidAfter([...inserted, stretched, ...shortened], head)).toMatch(/^Seal 2 /);
    await gateway.sql(
      'alter table activity_seals add constraint activity_seals_leaves check (octet_length(leaves) = 16 * entries)',
    );
    expect(await saidAfter([...inserted, stretched], head)).toContain('was put there after the log was sealed');
    expect(await saidAfter([stretched], head)).toMatch(/^Seal 2 /);
    // The next entries would lie before the newest seal's place, and never be sealed.
    expect(await saidAfter(['update activity_seals set seq = 1000000000 where number = 3'], head)).toMatch(/^Seal 3 /);
  });

  test('the newest entries cut off with their seals show against a head from before, and only so', async () => {
    const [{ head }] = (await gateway.sql(
      "select encode(hash, 'hex') as head from activity_seals where number = 3",
    )) as [{ head: string }];
    const cut = [
      'delete from activity_seals where number = 3',
      `delete from activity_entries where (xid, seq) > (select xid, seq from activity_seals where number = 2)`,
    ];
    expect(await saidAfter(cut)).toBeNull();
    expect(await saidAfter(cut, head)).toContain(`does not have the head ${head}`);
    expect(await saidAfter([], head)).toBeNull();
  });

  test('writers pay nothing: the log has the triggers that it had, nothing refers to it, and seals are append-only too', async () => {
    const triggers = await gateway.sql<{ tgname: string }>(
      `select tgname from pg_trigger where tgrelid = 'activity_entries'::regclass and not tgisinternal order by 1`,
    );
    expect(triggers.map(({ tgname }) => tgname)).toEqual([
      'activity_entries_append_only',
      'activity_entries_no_truncate',
    ]);
    const references = await gateway.sql(`select from pg_constraint where confrelid = 'activity_entries'::regclass`);
    expect(references).toEqual([]);
    await expect(gateway.sql('delete from activity_seals')).rejects.toThrow();
    await expect(gateway.sql('truncate activity_seals')).rejects.toThrow(/append-only|permission/);
    await expect(gateway.sql('update activity_seals set entries = 1')).rejects.toThrow();
  });

  test('the sealer works by itself, and operators see it', async () => {
    const database = await testDatabase();
    const other = await startTestGateway({ database, config: { sealIntervalMs: 10 } });
    try {
      const metrics = async () => (await fetch(`${other.url}/metrics`)).text();
      expect(await metrics()).toContain('csp_graph_seal_number 0\n');
      await other.sql(insertEntries, [2_100]);
      await until('all is sealed', async () => (await metrics()).includes('csp_graph_unsealed_entries 0\n'));
      const text = await metrics();
      expect(text).toMatch(/csp_graph_seal_number [3-9]\n/);
      expect(text).toMatch(/csp_graph_seal_age_seconds [\d.e-]+\n/);
      const { facts } = await verifyDatabase(other.gateway.services.kysely, null);
      const head = (facts.at(-1) as string).slice('head '.length);
      await until('the head is in the log', () => other.log.some((line) => line.includes(head)));
    } finally {
      await other.stop();
    }
  });

  describe('of a file', () => {
    let folder: string;
    let lines: string[];
    let manifest: { head: { hash: string }; seals: unknown[]; count: number };
    let file: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'csp-graph-seals-'));
      file = join(folder, 'activity.jsonl');
      await until(
        'the feed has read',
        () => gateway.gateway.services.feed.position.seq >= BigInt(at(rows.length - 1).seq),
      );
      const headers = { authorization: `Bearer ${await gateway.token('GLOBAL_ADMIN')}` };
      const get = async (query: string) =>
        (await fetch(`${gateway.url}/exports/activity.jsonl?${query}`, { headers })).text();
      // Not the last entries: some are not closed by a seal of the manifest.
      const all = (await get('')).split('\n').slice(0, -1);
      const until_ = JSON.parse(all[1_210] as string).cursor;
      lines = all.slice(0, 1_211);
      const text = await get(`manifest=1&until=${until_}`);
      manifest = JSON.parse(text);
      writeFileSync(`${file}.manifest.json`, text);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const verify = async (content: string | Buffer, options: string[] = [], path = file) => {
      writeFileSync(path, content);
      return run(process.execPath, ['dist/src/cli/verify-log.js', path, ...options]).then(
        ({ stdout }) => ({ code: 0, said: stdout }),
        (error: { code: number; stdout: string; stderr: string }) => ({
          code: error.code,
          said: error.stdout || error.stderr,
        }),
      );
    };
    const joined = (given: string[]) => given.map((line) => `${line}\n`).join('');

    test('an untouched file is what was exported and sealed, compressed too', async () => {
      expect(manifest.count).toBe(1_211);
      const plain = await verify(joined(lines));
      expect(plain).toEqual({ code: 0, said: expect.stringContaining('The log is what was sealed.') });
      expect(plain.said).toContain('1201 entries in 2 seals, 10 newer than the last of them');
      expect(plain.said).toContain(manifest.head.hash);
      const packed = await verify(gzipSync(joined(lines)), ['--manifest', `${file}.manifest.json`], `${file}.gz`);
      expect(packed).toEqual(plain);
      expect((await verify(joined(lines), ['--head', manifest.head.hash])).code).toBe(0);
      expect(await verify(joined(lines), ['--head', 'a'.repeat(64)])).toEqual({
        code: 1,
        said: expect.stringContaining('TAMPERED: The chain does not have the head'),
      });
    });

    test('the first wrong line is named, wherever it is and whatever was done', async () => {
      for (const place of [0, 605, 1_205, 1_210]) {
        const line = lines[place] as string;
        const cases: [string[], string][] = [
          [lines.with(place, line.replace('anna@', 'anne@').replace('ORDER_PLACED', 'ORDER_PLACES')), 'was changed'],
          [lines.with(place, line.replace('"cursor":"W', '"cursor":"X')), 'was changed'],
          [lines.toSpliced(place, 1), 'is missing'],
          [lines.toSpliced(place, 0, line.replace('act_', 'act_0')), 'was put there'],
        ];
        if (place < 1_210)
          cases.push([lines.with(place, lines[place + 1] as string).with(place + 1, line), 'not in its place']);
        for (const [changed, what] of cases) {
          const { code, said } = await verify(joined(changed));
          expect([code, said]).toEqual([
            1,
            expect.stringContaining(`TAMPERED: Line ${place + 1} ${what.startsWith('not') ? 'is ' : ''}${what}`),
          ]);
        }
      }
      expect((await verify(joined(lines).slice(0, -1))).said).toContain('Line 1211 was changed');
      expect((await verify('')).said).toContain('Line 1 is missing: the file ends before it.');
    });

    test('a file that was changed together with its manifest does not fit the seals, nor new seals an old head', async () => {
      const { lineHash } = await import('../../src/activity-log/seal/manifest.js');
      const { createHash } = await import('node:crypto');
      const changed = lines.with(1_100, (lines[1_100] as string).replace('anna@', 'anne@'));
      const path = join(folder, 'forged.json');
      const forged = {
        ...manifest,
        lines: Buffer.concat(changed.map((line) => lineHash(`${line}\n`))).toString('base64url'),
        sha256: createHash('sha256').update(joined(changed)).digest('hex'),
      };
      writeFileSync(path, JSON.stringify(forged));
      expect((await verify(joined(changed), ['--manifest', path])).said).toContain(
        'TAMPERED: Lines 1001 to 1201 are not the entries that seal 2 closes',
      );
      writeFileSync(path, JSON.stringify({ ...forged, seals: manifest.seals.slice(0, 1) }));
      expect((await verify(joined(changed), ['--manifest', path, '--head', manifest.head.hash])).said).toContain(
        'does not have the head',
      );
    });

    test('a line says nothing beside what is sealed, though its manifest was changed with it', async () => {
      const { lineHash } = await import('../../src/activity-log/seal/manifest.js');
      const { createHash } = await import('node:crypto');
      const line = lines[1_100] as string;
      const path = join(folder, 'forged.json');
      for (const forgery of [
        // Readers that take the first of two keys, or know more keys, are told what nobody sealed.
        line.replace('"cursor"', '"actor":"somebody@else.example","cursor"'),
        line.replace('"cursor"', '"note":"refunded","cursor"'),
        line.replace('"cursor"', '"detail" :{"version":"1999"},"cursor"'),
      ]) {
        expect(forgery).not.toBe(line);
        const changed = lines.with(1_100, forgery);
        writeFileSync(
          path,
          JSON.stringify({
            ...manifest,
            lines: Buffer.concat(changed.map((each) => lineHash(`${each}\n`))).toString('base64url'),
            sha256: createHash('sha256').update(joined(changed)).digest('hex'),
          }),
        );
        expect(await verify(joined(changed), ['--manifest', path, '--head', manifest.head.hash])).toEqual({
          code: 1,
          said: expect.stringContaining('TAMPERED: Line 1101 is not a line of an export'),
        });
      }
    });

    test('calls that make no sense are told', async () => {
      expect((await verify(joined(lines), ['--manifest', '/nowhere'])).code).toBe(2);
      expect((await verify(joined(lines), ['--database'])).code).toBe(2);
      expect((await verify(joined(lines), ['--head', 'x'])).code).toBe(2);
    });
  });
});

onServerOnly('several gateways on one database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  test('one seals at a time; when one is gone, the other goes on; verify-log reads what they left', async () => {
    const keep = { ...database, drop: async () => undefined };
    const [one, other] = (await Promise.all(
      [1, 2].map(() => startTestGateway({ database: keep, config: { sealIntervalMs: 5 } })),
    )) as [TestGateway, TestGateway];
    const sealed = async (gateway: TestGateway) => (await gateway.gateway.sealer.state()).unsealed === 0;
    try {
      for (let round = 0; round < 20; round += 1) await one.sql(insertEntries, [50]);
      await until('all is sealed', () => sealed(other));
      // Whoever holds the lock seals; nobody waits for it.
      const holder = one.gateway.services.kysely.transaction();
      await holder.execute(async (transaction) => {
        await sql`select pg_advisory_xact_lock(${sql.lit(AdvisoryLock.SEAL)})`.execute(transaction);
        await other.sql(insertEntries, [1]);
        expect(await sealNext(other.gateway.services.kysely)).toBeNull();
        expect((await other.gateway.sealer.state()).unsealed).toBe(1);
      });
      await one.stop();
      await other.sql(insertEntries, [2_500]);
      await until('the other goes on', () => sealed(other));
      expect((await verifyDatabase(other.gateway.services.kysely, null)).problem).toBeNull();
      const environment = {
        PATH: process.env['PATH'],
        DATABASE_URL: (database.config as { url: string }).url,
        DATA_DIR: mkdtempSync(join(tmpdir(), 'csp-graph-')),
      };
      const { stdout } = await run(process.execPath, ['dist/src/cli/verify-log.js', '--database'], {
        env: environment,
      });
      expect(stdout).toContain('3501 entries in ');
    } finally {
      await other.stop();
    }
  });
});
