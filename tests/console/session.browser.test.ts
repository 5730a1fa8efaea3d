import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { accessibilityFaults, type Console, goTo, launch, openConsole } from "./browser.js";
import { FakeServer, problem } from "./fake_server.js";

const as_of = "2026-11-27T00:53:20.000Z";
const nobody = { role: null, name: null, password: true, version: "0.2.0", as_of };
const nightShift = { ...nobody, role: "operator", name: "night shift" };

let browser: Browser;
let server: FakeServer;
let shown: Console;
let page: Page;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  server = await new FakeServer().start();
  server.answer("GET me", nobody);
  shown = await openConsole(browser, server);
  page = shown.page;
});
afterEach(async () => {
  await page.context().close();
  await server.stop();
  expect(shown.wrong).toEqual([]);
});

it("asks for the password, says that it was wrong, and shows nothing before it is right", async () => {
  server.answer(
    "POST session",
    problem(401, "CONSOLE_PASSWORD_REFUSED", "The password is none of the console's."),
    401,
  );
  await page.getByLabel("Your name").fill("night shift");
  await page.getByLabel("Password").fill("wrong");
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.keyboard.press("Enter");
  await page.getByText("The password is none of the console's.").waitFor();
  expect(server.asked.filter((path) => path !== "me")).toEqual([]);
  server.answer("POST session", nightShift);
  await page.getByLabel("Password").fill("right");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  expect(server.posts.map(({ body }) => body)).toEqual([
    { name: "night shift", password: "wrong" },
    { name: "night shift", password: "right" },
  ]);
});

it("signs out, and notices a session that has ended", async () => {
  server.answer("POST session", nightShift);
  await page.getByLabel("Password").fill("right");
  await page.keyboard.press("Enter");
  await page.getByText("night shift, operator").waitFor();
  server.answer("GET me", nobody);
  server.answer("GET payments", problem(401, "CONSOLE_SIGNED_OUT", "Nobody has signed in here."), 401);
  await page.evaluate(() => {
    location.hash = "#/payments";
  });
  await page.getByLabel("Password").waitFor();
  server.fill("full");
  server.answer("DELETE session", nobody);
  await page.getByLabel("Password").fill("right");
  await page.keyboard.press("Enter");
  await goTo(page, "#/payments", "Payments");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Password").waitFor();
  await expect.poll(() => server.streams).toBe(0);
});
