const { enableCompileCache, flushCompileCache } = require('node:module');
const { TestEnvironment } = require('jest-environment-node');

// Compiled code is kept between runs, for programs that the suites start too: see global-setup.mjs.
enableCompileCache(process.env.NODE_COMPILE_CACHE);
let isKept = false;

/** Classes that code outside and inside of Jest's sandbox must agree on, for `instanceof` to be true of both's. */
const SHARED = ['Date', 'Error', 'Map', 'RangeError', 'RegExp', 'Set', 'SyntaxError', 'TypeError'];

/** Where a suite runs: what native-modules.cjs loaded is at hand. */
module.exports = class extends TestEnvironment {
  constructor(...options) {
    super(...options);
    this.global.nativeModule = (path) => require(path);
    for (const name of SHARED) this.global[name] = globalThis[name];
  }

  async teardown() {
    await super.teardown();
    // Not at the end of the worker, which Jest does not wait for.
    if (!isKept) flushCompileCache();
    isKept = true;
  }
};
