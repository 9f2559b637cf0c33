const counts = { passed: 0, failed: 0 };

/** Runs one step and tells how it went. A step that fails does not keep the next ones from running. */
export async function step(rule, run) {
  const started = performance.now();
  try {
    await run();
    counts.passed += 1;
    console.log(`ok      ${rule} (${Math.round(performance.now() - started)} ms)`);
  } catch (error) {
    counts.failed += 1;
    console.log(`FAILED  ${rule}\n${error.stack ?? error}`);
  }
}

/** Prints the sum on a line of its own and sets the exit code. */
export function summarize() {
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}
