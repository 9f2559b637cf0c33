/** The value of a metric of a gateway, as operators read it. */
export async function metricOf(gateway: { url: string }, name: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(text) ?? [];
  if (value === undefined) throw new Error(`there is no metric ${name}`);
  return value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
}
