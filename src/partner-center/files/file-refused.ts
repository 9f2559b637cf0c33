/** The whole file is refused: it cannot be opened, read or recognised. The message says why and what to do. */
export class FileRefused extends Error {
  override name = 'FileRefused';
}
