/**
 * Jest loads every module anew for every suite, and its code starts cold every time: more than half of what the suites
 * took. Here only the tests themselves are loaded so. Whatever they import from `src`, `migrations` and `node_modules`
 * is loaded once in a worker, by Node itself, from what `npm run build` made: as a gateway in production, which many
 * suites then start and stop. A file of the tests that must not be in Jest's sandbox ends with `.mts`: Node reads its
 * TypeScript itself. To Jest such a file is a list of names that are there already.
 */
const { createHash } = require('node:crypto');
const { existsSync } = require('node:fs');
const { join, relative, sep } = require('node:path');

const root = join(__dirname, '../..');

/** Where Node finds the code of a file: TypeScript lies compiled in `dist`. */
function compiled(file) {
  if (!file.endsWith('.ts')) return file;
  const path = join(root, 'dist', relative(root, file)).replace(/\.ts$/, '.js');
  if (!existsSync(path)) throw new Error(`${relative(root, file).split(sep).join('/')} is not compiled`);
  return path;
}

function stubOf(source, file, { supportsStaticESM: isModule, supportsDynamicImport: isInSandbox }) {
  // Jest's own modules pass here too, on their way into Jest.
  if (!isInSandbox) return source;
  const path = JSON.stringify(compiled(file));
  if (!isModule) return `module.exports = nativeModule(${path});`;
  const names = Object.keys(require(compiled(file)));
  const lines = names.map((name, index) => `const _${index} = native.${name}; export { _${index} as ${name} };`);
  return [`const native = nativeModule(${path});`, ...lines, 'export {};'].join('\n');
}

module.exports = {
  process: (source, file, options) => ({ code: stubOf(source, file, options) }),
  getCacheKey: (source, file, options) =>
    createHash('sha256')
      .update(stubOf(source, file, options))
      .digest('hex'),
};
