import { type Config } from '../config/config.js';
import { ConfigError } from '../config/config-error.js';
import { databaseProblem } from '../database/database-problem.js';

/** An error of Node or of the system. */
interface SystemError extends Error {
  code?: string;
  syscall?: string;
  path?: string;
  port?: number;
  hostname?: string;
}

/** What to do where an address cannot be listened on, by setting of the port and of the host. */
const listening: Record<string, (port: string, host: string) => string> = {
  EADDRINUSE: (port) =>
    `${port}: the port is taken, perhaps by a gateway that runs already. Stop what listens there, or set ${port} to another one (0 picks a free one).`,
  EACCES: (port) =>
    `${port}: this user may not listen on that port; those below 1024 are the system's as a rule. Set ${port} to a higher one.`,
  EADDRNOTAVAIL: (_port, host) =>
    `${host}: this machine has no such address. Set ${host} to one of its own, such as 127.0.0.1, or 0.0.0.0 for all.`,
  EAFNOSUPPORT: (_port, host) => `${host}: this machine has no addresses of that kind. Set ${host} to one of its own.`,
  EINVAL: (_port, host) => `${host}: it cannot be listened on that address. Set ${host} to another one.`,
};

/** What to do where the folder of the embedded database cannot be used. */
const folders: Record<string, string> = {
  EEXIST: 'is a file where a folder is needed. Name a folder, or one that is not there yet.',
  ENOTDIR: 'leads through a file. Name a folder, or one that is not there yet.',
  EACCES: 'may not be written by the user that the gateway runs as.',
  EPERM: 'may not be written by the user that the gateway runs as.',
  EROFS: 'lies on a file system that cannot be written.',
  ENOSPC: 'lies on a file system that is full.',
};

/**
 * A sentence for whoever started the process, naming the setting, where what went wrong is a matter of settings or of the
 * machine; null for anything else: that is a defect, and whoever mends it wants the stack.
 */
export function startProblem(error: SystemError, config: Config | null): string | null {
  if (error instanceof ConfigError) return error.message;
  return (config && (listenProblem(error, config) ?? folderProblem(error, config))) ?? databaseProblem(error);
}

function listenProblem({ code = '', syscall, port, hostname }: SystemError, { host, admin }: Config): string | null {
  const isHost = hostname !== undefined && [host, admin.listen?.host].includes(hostname);
  if (syscall === 'getaddrinfo' && isHost) {
    const setting = hostname === host ? 'HOST' : 'ADMIN_HOST';
    return `${setting}: there is no host of that name. Set ${setting} to an address of this machine.`;
  }
  if (syscall !== 'listen' && syscall !== 'bind') return null;
  const isAdmin = admin.listen !== null && admin.listen.port === port;
  return listening[code]?.(isAdmin ? 'ADMIN_PORT' : 'PORT', isAdmin ? 'ADMIN_HOST' : 'HOST') ?? null;
}

function folderProblem({ code = '', path }: SystemError, { dataDir }: Config): string | null {
  const told = folders[code];
  return told && path?.startsWith(dataDir) ? `DATA_DIR: ${path} ${told}` : null;
}
