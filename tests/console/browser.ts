import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { expect } from "vitest";

/** Without them a browser looks for its maker's servers at every start, and as root its sandbox cannot begin. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ARGUMENTS });

const WAIT_MS = 10_000;

export interface Console {
  readonly page: Page;
  /** What the page asked of other servers, and what it complained about: neither may be. */
  readonly wrong: string[];
}

/** The console in a browser of its own, at its overview. */
export async function openConsole(
  browser: Browser,
  server: { readonly origin: string },
  options: BrowserContextOptions = {},
): Promise<Console> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const wrong: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(`${server.origin}/`)) {
      wrong.push(`asked ${request.url()}`);
    }
  });
  page.on("pageerror", (error) => wrong.push(`threw ${error}`));
  page.on("console", (message) => {
    // A refused request is told there too; the page tells it by itself.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      wrong.push(`complained ${message.text()}`);
    }
  });
  await page.goto(server.origin);
  return { page, wrong };
}

/** Another page of the console, once it has said what it has to. */
export async function goTo(page: Page, hash: string, heading: string): Promise<void> {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
  await isGone(page.getByText("Loading …"));
}

/** Waits until nothing of the kind is there. waitForFunction would need what the page's policy forbids. */
export async function isGone(shown: Locator): Promise<void> {
  await expect.poll(() => shown.count(), { timeout: WAIT_MS }).toBe(0);
}

/** Waits until the page says that it is live. */
export async function isLive(page: Page): Promise<void> {
  await expect.poll(() => page.locator(".live [role=status]").textContent()).toBe("● Live");
}

/**
 * What axe finds wrong with the page as it stands: `rule: element`.
 *
 * @param rules only these; without them all
 */
export async function accessibilityFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) {
    await page.evaluate(axe.source);
  }
  // What passed is not asked for, nor stylesheets a second time: half the time that axe takes.
  const quick = { resultTypes: ["violations"], preload: false };
  const options = rules === undefined ? quick : { ...quick, runOnly: rules };
  return page.evaluate(async (only) => {
    const { axe: injected } = window as unknown as {
      axe: {
        run(
          options: object,
        ): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
      };
    };
    const { violations } = await injected.run(only);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  }, options);
}

/** Elements that are seen and stick out of the window to the right, but for those in a part that clips or scrolls by itself. */
export function cutElements(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const isClipped = ({ parentElement: outer }: Element): boolean =>
      outer !== null && (getComputedStyle(outer).overflowX !== "visible" || isClipped(outer));
    const sticksOut = (element: Element) =>
      element.getBoundingClientRect().right > width + 1 && element.checkVisibility() && !isClipped(element);
    const scrolls = document.documentElement.scrollWidth > width ? ["the page scrolls sideways"] : [];
    const cut = [...document.querySelectorAll("body *")]
      .filter(sticksOut)
      .map((element) => element.outerHTML.slice(0, 120));
    return [...scrolls, ...cut];
  });
}
