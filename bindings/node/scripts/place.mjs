// Puts the native half into the package, and links the package where examples and tests import it.
//
// RKCHAT_TARGET names the folder with librkchat_node.so and runtime/ (by default, the release build
// of this checkout).

import { copyFileSync, existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const checkout = resolve(here, '../..');
const target = resolve(process.env.RKCHAT_TARGET ?? join(checkout, 'target/release'));

const library = join(target, 'librkchat_node.so');
if (!existsSync(library)) {
  console.error(`${library} is not there: run \`cargo build --release -p rkchat-node\`, or set RKCHAT_TARGET`);
  process.exit(1);
}
// A copy in place would change the file under a process that has it loaded.
rmSync(join(here, 'rkchat.node'), { force: true });
copyFileSync(library, join(here, 'rkchat.node'));

link(join(here, 'runtime'), join(target, 'runtime'));
// Asks unknown libraries what they are.
link(join(here, 'rkchat-worker'), join(target, 'rkchat-worker'));
link(join(checkout, 'examples/node/node_modules/rkchat'), here);
link(join(checkout, 'tests/conformance/node/node_modules/rkchat'), here);

function link(from, to) {
  mkdirSync(dirname(from), { recursive: true });
  rmSync(from, { force: true });
  symlinkSync(relative(dirname(from), to), from);
}
