/** Copy what the page uses of its packages into static/vendor, each with its licence and its types. */
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const into = join(here, "static", "vendor");
const files = {
  "lit-html": {
    LICENSE: "LICENSE",
    "lit-html.js": "lit-html.js",
    "lit-html.d.ts": "lit-html.d.ts",
    "directive.js": "directive.js",
    "directive.d.ts": "directive.d.ts",
    "directive-helpers.js": "directive-helpers.js",
    "directive-helpers.d.ts": "directive-helpers.d.ts",
    "directives/live.js": "directives/live.js",
    "directives/live.d.ts": "directives/live.d.ts",
    "directives/repeat.js": "directives/repeat.js",
    "directives/repeat.d.ts": "directives/repeat.d.ts",
  },
  "tus-js-client": {
    LICENSE: "LICENSE",
    "dist/tus.min.js": "tus.js",
    "lib/index.d.ts": "tus.d.ts",
  },
  mediabunny: {
    LICENSE: "LICENSE",
    "dist/bundles/mediabunny.min.mjs": "mediabunny.js",
    "dist/mediabunny.d.ts": "mediabunny.d.ts",
  },
};

rmSync(into, { recursive: true, force: true });
for (const [name, copies] of Object.entries(files)) {
  for (const [from, to] of Object.entries(copies)) {
    const target = join(into, name, to);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(here, "node_modules", name, from), target);
  }
}
