import { fileURLToPath } from 'node:url';

/** Where something that ships with the code lies, by its path in the project. */
export function shippedPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
