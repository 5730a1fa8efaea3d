import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly bytes: Buffer;
  readonly type: string;
  /** Its name has a digest of it: another content has another name. */
  readonly isForGood: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
  ".md": "text/plain; charset=utf-8",
};

const HAS_DIGEST = /^\/assets\/.+-[\w-]{8}\.\w+$/;

/** The built page: some ten files, read once and kept, 200 kB in all. No other file can be asked for. */
export class ConsolePage {
  readonly #files = new Map<string, PageFile>();

  /** @param folder may be missing: then there is no page */
  constructor(folder: string) {
    const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
    for (const name of names) {
      const type = TYPES[extname(name)];
      const path = join(folder, name);
      if (type !== undefined) {
        const url = `/${relative(folder, path).split(sep).join("/")}`;
        this.#files.set(url, { bytes: readFileSync(path), type, isForGood: HAS_DIGEST.test(url) });
      }
    }
  }

  /** @param path of the URL, e.g. `/assets/index-1a2b.js`; `/` is the page itself */
  file(path: string): PageFile | undefined {
    return this.#files.get(path === "/" ? "/index.html" : path);
  }

  /** What the page has beside `/assets` and itself, e.g. `/icon.svg`. */
  get others(): readonly `/${string}`[] {
    return [...this.#files.keys()].filter((path) => !path.startsWith("/assets/")) as `/${string}`[];
  }
}
