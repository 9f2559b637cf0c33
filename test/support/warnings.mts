/** Warnings of the whole process, such as of listeners that pile up: outside of Jest's sandbox, whose process hears none. */
export function collectWarnings(): { told: string[]; stop(): void } {
  const told: string[] = [];
  const hear = (warning: Error) => void told.push(`${warning.name}: ${warning.message}`);
  process.on('warning', hear);
  return { told, stop: () => void process.off('warning', hear) };
}
