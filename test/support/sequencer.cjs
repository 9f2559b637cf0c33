const { default: Sequencer } = require('@jest/test-sequencer');

/** What takes longest, on either engine: begun last, one of them would run by itself at the end. */
const LONG = [
  'compiled-queries',
  'client-kills',
  'history',
  'seals',
  'feed',
  'demo',
  'config',
  'compose',
  'incarnation',
  'migrations',
  'indexes',
  'nats',
  'fulfilment',
  'ws',
];

/** Long suites first, each of the others as Jest would have it. */
module.exports = class extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONG.findIndex((name) => path.endsWith(`/${name}.test.ts`));
      return place < 0 ? LONG.length : place;
    };
    return super.sort(tests).sort((one, other) => rank(one) - rank(other));
  }
};
