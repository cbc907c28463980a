// npm links the binaries of dependencies, not the project's own: this makes `npx penstock` work in a checkout.
import { existsSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const link = fileURLToPath(new URL('../../node_modules/.bin/penstock', import.meta.url));
if (!existsSync(link)) symlinkSync('../../functions/cli/penstock.js', link);
