import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { servers } from './servers.mjs';
import { shapes } from './shapes.mjs';

const peers = servers.map(({ name }) => name);

const USAGE = `Compares csp-graph with its peers on the same tables of the same PostgreSQL server.

  npm run bench -- [--quick] [--scale N] [--seconds N] [--rounds N] [--connections N] [--only NAME,NAME] [--shapes KEY,KEY]
                   [--profile FOLDER] [--keep]

  --quick          about two minutes: a tenth of the data, 1 second, 3 rounds, without apollo-tutorial
  --scale N        times 5,000 customers, 100,000 orders, 500,000 activity entries (default 1)
  --seconds N      how long a server is under load for one figure (default 5)
  --rounds N       figures of each server and shape (default 5)
  --connections N  requests in flight (default 12)
  --only NAMES     these servers beside the limit: ${peers.slice(1).join(', ')}
  --shapes KEYS    these shapes: ${Object.keys(shapes).join(', ')}
  --profile FOLDER a CPU profile of each server's process there, for Chrome's developer tools
  --keep           leave the database: the next run of that size fills nothing

DATABASE_URL says on which server a database is made (default postgres://postgres@127.0.0.1:5432/postgres).
`;

/** What was asked for; ends the process where it was help, or cannot be understood. */
export function readArguments() {
  const text = { type: 'string' };
  const flag = { type: 'boolean', default: false };
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        quick: flag,
        keep: flag,
        help: flag,
        scale: text,
        seconds: text,
        rounds: text,
        connections: text,
        only: text,
        shapes: text,
        profile: text,
      },
    }));
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(1);
  }
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  const numberOf = (name, fallback) => {
    const number = Number(values[name] ?? fallback);
    if (number > 0) return number;
    console.error(`--${name} ${values[name]}: must be a number above 0`);
    process.exit(1);
  };
  const { quick } = values;
  const namesOf = (option, known) => {
    const names = values[option]?.split(',');
    const unknown = names?.filter((name) => !known.includes(name)) ?? [];
    if (unknown.length === 0) return names;
    console.error(`--${option} ${unknown.join(',')}: must be among ${known.join(', ')}`);
    process.exit(1);
  };
  return {
    scale: numberOf('scale', quick ? 0.1 : 1),
    seconds: numberOf('seconds', quick ? 1 : 5),
    rounds: Math.round(numberOf('rounds', quick ? 3 : 5)),
    connections: Math.round(numberOf('connections', 12)),
    // What tutorials write needs many seconds for a single nested page.
    servers: namesOf('only', peers) ?? (quick ? peers.filter((name) => name !== 'apollo-tutorial') : peers),
    shapes: namesOf('shapes', Object.keys(shapes)) ?? Object.keys(shapes),
    profile: values.profile ? resolve(values.profile) : null,
    keep: values.keep,
    server: process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres',
  };
}
