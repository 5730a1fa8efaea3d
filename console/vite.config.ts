import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** What a browser loads before the page is there, all of it, in bytes after gzip: docs/console.md promises it. */
const MAX_GZIPPED_BYTES = 60_000;

/** Fails a build that has outgrown its promise. */
function sizeLimit(): Plugin {
  return {
    name: "size-limit",
    apply: "build",
    writeBundle({ dir = "." }, bundle) {
      const loaded = Object.keys(bundle).filter((file) => /\.(html|js|css)$/.test(file));
      const sizes = loaded.map((file) => gzipSync(readFileSync(join(dir, file))).length);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      if (total > MAX_GZIPPED_BYTES) {
        this.error(`The console is ${total} bytes gzipped, more than ${MAX_GZIPPED_BYTES}.`);
      }
      this.info(`${total} of ${MAX_GZIPPED_BYTES} bytes gzipped`);
    },
  };
}

/** The page of the module console: `npm run build` leaves it in dist/console, whence the module serves it. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  // The content security policy lets nothing run or show that is written inline.
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    license: { fileName: "assets/licenses.md" },
    reportCompressedSize: false,
    target: "es2022",
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [sizeLimit()],
});
