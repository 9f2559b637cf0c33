import { connect } from 'node:net';

/** The Redis that tests count in: the machine's, unless TEST_REDIS_URL names another. */
export const redisUrl = new URL(process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379');

/** Whether it is there. */
export const hasRedis = await new Promise<boolean>((resolve) => {
  const socket = connect(Number(redisUrl.port || 6379), redisUrl.hostname);
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  void socket.once('connect', () => socket.destroy());
});
if (!hasRedis) console.warn(`SKIPPED: there is no Redis at ${redisUrl.host}; set TEST_REDIS_URL.`);
