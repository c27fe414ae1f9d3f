import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { z } from "zod";
import { request, sendHeartbeat } from "../scripts/client.ts";
import { registerFleet, type Service, startService } from "./service.ts";

/** The page in a real Chromium before a small and a large fleet: until the first rows, until all, and what it takes to stay. */

const FLEETS = [100, 10_000] as const;
/** The best of so many is told: whatever else the machine does only makes it slower. */
const ROUNDS = 3;
const WATCHED_MS = 10_000;
const LIMIT_MS = 120_000;
/** As the service sends them: src/fleet/live/live-batch.ts. */
const ROWS_PER_MESSAGE = 200;
const CHROMIUM = "/usr/bin/chromium";
const BUILT = resolve(import.meta.dirname, "../dist/dashboard");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

export interface DashboardResult {
  readonly instances: number;
  /** From the first message of the live connection to the first row drawn. */
  readonly firstRowsMs: number;
  /** Scripting in that time. */
  readonly firstRowsScriptMs: number;
  /** Until the last instance was there. */
  readonly allScriptMs: number;
  /** Of the live connection, until then. */
  readonly bytes: number;
  /** From the message that an instance has changed to its row. */
  readonly changeMs: number;
  /** Scripting while it is watched and ticks. */
  readonly scriptMsPerSecond: number;
}

/** Null without Chromium. */
export async function benchDashboard(): Promise<DashboardResult[] | null> {
  const browser = await chromium
    .launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] })
    .catch(() => null);
  if (browser === null) return null;
  const service = await startService("src/worker.ts");
  try {
    const [smallest] = FLEETS;
    const { userToken, instances } = await registerFleet(service, smallest);
    for (const { id, token } of instances) {
      await sendHeartbeat(service.url, token, {
        instance_id: id,
        gpu_utilization: 87,
        cost_accumulated: 2.4,
      });
    }
    const rows = await rowsOf(service, userToken);
    const best = new Map<number, DashboardResult>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const size of FLEETS) {
        const result = {
          instances: size,
          ...(await watch(browser, service, userToken, fleetOf(rows, size))),
        };
        const former = best.get(size);
        if (former === undefined || result.firstRowsScriptMs < former.firstRowsScriptMs)
          best.set(size, result);
      }
    }
    return [...best.values()];
  } finally {
    await browser.close();
    await service.stop();
  }
}

type Row = Readonly<Record<string, unknown>>;

/** As a live connection is sent them. */
async function rowsOf({ url }: Service, userToken: string): Promise<readonly Row[]> {
  const answer = await request(`${url}/api/agent/instances?view=summary&limit=1000`, "GET", userToken);
  return z.object({ instances: z.array(z.record(z.string(), z.unknown())).min(1) }).parse(answer).instances;
}

/** So many instances, each like one that is really there. To register all of them would take longer than all that is measured. */
function fleetOf(rows: readonly Row[], size: number): readonly Row[] {
  return Array.from({ length: size }, (_, index) => ({
    ...rows[index % rows.length],
    instance_id: `bench-${index}`,
    name: `bench-${index}`,
  }));
}

async function watch(browser: Browser, service: Service, userToken: string, fleet: readonly Row[]) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await serveFiles(context);
  // As of a browser that has signed in some time before.
  await context.request.post(`${service.url}/api/session`, { data: { token: userToken } });
  await context.addInitScript('localStorage.setItem("dumont.signed-in", "owner")');
  const page = await context.newPage();
  const { opened } = await liveConnection(page);
  const scriptMs = await scriptClock(page);
  await page.goto(service.url);
  const messages = messagesOf(fleet);
  const push = await opened;

  const [startedAt, before] = [performance.now(), await scriptMs()];
  for (const message of messages.slice(0, 1)) push(message);
  await page.locator("tr[data-instance]").first().waitFor({ timeout: LIMIT_MS });
  const [firstRowsMs, atFirstRows] = [performance.now() - startedAt, await scriptMs()];
  for (const message of messages.slice(1)) push(message);
  const status = page.getByRole("status");
  await status.getByText(`${fleet.length} instances`, { exact: true }).waitFor({ timeout: LIMIT_MS });
  const atAll = await scriptMs();

  const changed = { ...fleet.at(-1), status: "orphaned", health: "unhealthy", as_of: "2100-01-01T00:00:00Z" };
  const changedAt = performance.now();
  push(textOf({ type: "rows", revision: 2, rows: [changed], removed: [] }));
  await page.locator(".badge.orphaned").first().waitFor({ timeout: LIMIT_MS });
  const changeMs = performance.now() - changedAt;

  const watchedFrom = await scriptMs();
  await sleep(WATCHED_MS);
  const scriptMsPerSecond = ((await scriptMs()) - watchedFrom) / (WATCHED_MS / 1000);
  await context.close();
  return {
    firstRowsMs,
    firstRowsScriptMs: atFirstRows - before,
    allScriptMs: atAll - before,
    bytes: messages.reduce((sum, { length }) => sum + length, 0),
    changeMs,
    scriptMsPerSecond,
  };
}

/** Wrangler serves these files with proxies in between; here they come from the disk. */
async function serveFiles(context: BrowserContext): Promise<void> {
  await context.route(/^[^?]*\/(built\/.*|icon\.svg|)$/, async (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = path === "/" ? "/index.html" : path;
    await route.fulfill({
      body: await readFile(`${BUILT}${file}`),
      contentType: TYPES[extname(file)] ?? "image/svg+xml",
    });
  });
}

/** In the place of the page's live connection: how it is sent something, once it is open. */
async function liveConnection(page: Page): Promise<{ readonly opened: Promise<(message: string) => void> }> {
  const opened = Promise.withResolvers<(message: string) => void>();
  await page.routeWebSocket(/\/api\/agent\/live/, (socket) =>
    opened.resolve((message) => socket.send(message)),
  );
  return { opened: opened.promise };
}

function messagesOf(fleet: readonly Row[]): readonly string[] {
  const count = Math.ceil(fleet.length / ROWS_PER_MESSAGE);
  return Array.from({ length: count }, (_, index) => {
    const rows = fleet.slice(index * ROWS_PER_MESSAGE, (index + 1) * ROWS_PER_MESSAGE);
    return textOf({ type: "snapshot", revision: 1, rows, is_last: index === count - 1 });
  });
}

function textOf(message: Readonly<Record<string, unknown>>): string {
  const guard = { state: "open", closed_at: null, opened_at: null, service_wide: "open" };
  return JSON.stringify({ server_time: new Date().toISOString(), guard, takes_sight: true, ...message });
}

/** How long the page has been scripting so far, in ms of its thread: what else runs on the machine does not count. */
async function scriptClock(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * (metrics.find(({ name }) => name === "ScriptDuration")?.value ?? 0);
  };
}
