import type { World } from './world.js';

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Writes a body as the service has been seen to: numbers as text, ids in capitals, instants without a zone. */
export function disfigure(world: World, path: string, body: unknown): unknown {
  const { faults } = world;
  const isStruck = {
    text: faults.strikes('numbersAsText', path),
    ids: faults.strikes('upperCaseIds', path),
    times: faults.strikes('timesWithoutZone', path),
  };
  const answer = Object.values(isStruck).some(Boolean) ? walk(body, isStruck) : body;
  return hasItems(answer) && faults.strikes('pageMissing', path) ? { ...answer, items: answer.items.slice(1) } : answer;
}

const hasItems = (body: unknown): body is { items: unknown[] } =>
  typeof body === 'object' && body !== null && 'items' in body && Array.isArray(body.items) && body.items.length > 0;

function walk(value: unknown, is: Record<'text' | 'ids' | 'times', boolean>): unknown {
  if (Array.isArray(value)) return value.map((one) => walk(one, is));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, walk(one, is)]));
  if (is.text && typeof value === 'number') return String(value);
  if (typeof value !== 'string') return value;
  if (is.ids && GUID.test(value)) return value.toUpperCase();
  return is.times && INSTANT.test(value) ? value.slice(0, -1) : value;
}
