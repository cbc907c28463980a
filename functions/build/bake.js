// The `gcp-build` script of every archive, which Google's builder runs after `npm ci`: the Node that will run the chunks compiles each once,
// and `.compile-cache`, which the first line of a chunk switches on, keeps what came of it.
import { readdirSync } from 'node:fs';

for (const name of readdirSync(new URL('shared/chunks/', import.meta.url))) {
  if (name.endsWith('.js')) await import(`./shared/chunks/${name}`);
}
