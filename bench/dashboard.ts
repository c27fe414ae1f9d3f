import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Browser, chromium } from "playwright-core";
import { z } from "zod";
import { sendHeartbeat } from "../scripts/client.ts";
import { registerFleet, type Service, startService } from "./service.ts";

/** The page in a real Chromium before a small and a large fleet: until the first rows, and what it takes to stay. */

const FLEETS = [100, 10_000] as const;
/** So many machines are registered and heard at a time: how long that takes is not measured. */
const AT_ONCE = 16;
const WATCHED_MS = 20_000;
const WHOLE_LIMIT_MS = 120_000;
const CHROMIUM = "/usr/bin/chromium";
const BUILT = resolve(import.meta.dirname, "../dist/dashboard");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css" };

export interface DashboardResult {
  readonly instances: number;
  /** From the first byte asked for to the first row drawn. */
  readonly firstRowsMs: number;
  /** Scripting until then. */
  readonly scriptMs: number;
  /** What came over the network until then, as it was sent; and until the last instance was there. */
  readonly firstRowsBytes: number;
  readonly wholeBytes: number;
  /** Until the last instance was there. */
  readonly wholeMs: number;
  /** Scripting while it is watched, ticking and polling. */
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
    const results: DashboardResult[] = [];
    for (const size of FLEETS) {
      const { userToken, instances } = await registerFleet(service, size, AT_ONCE);
      const waiting = instances.values();
      const beat = async () => {
        for (const { id, token } of waiting) {
          await sendHeartbeat(service.url, token, {
            instance_id: id,
            gpu_utilization: 87,
            cost_accumulated: 2.4,
          });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, beat));
      results.push({ instances: size, ...(await watch(browser, service, userToken, size)) });
    }
    return results;
  } finally {
    await browser.close();
    await service.stop();
  }
}

async function watch(browser: Browser, service: Service, userToken: string, size: number) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  // Wrangler serves these files with proxies in between; here they come from the disk.
  await context.route(/^[^?]*\/(built\/.*|icon\.svg|)$/, async (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = path === "/" ? "/index.html" : path;
    await route.fulfill({
      body: await readFile(`${BUILT}${file}`),
      contentType: TYPES[extname(file)] ?? "image/svg+xml",
    });
  });
  // As of a browser that has signed in some time before.
  await context.request.post(`${service.url}/api/session`, { data: { token: userToken } });
  await context.addInitScript('localStorage.setItem("dumont.signed-in", "owner")');
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");
  await session.send("Network.enable");
  let bytes = 0;
  // The page itself does not grow with its fleet: test/dashboard/size.test.ts bounds it.
  session.on("Network.webSocketFrameReceived", ({ response }) => {
    bytes += response.payloadData.length;
  });
  session.on("Network.responseReceived", ({ requestId, response }) => {
    if (new URL(response.url).pathname.startsWith("/api/")) asked.add(requestId);
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (asked.has(requestId)) bytes += encodedDataLength;
  });
  const asked = new Set<string>();
  const scriptMs = async () => {
    const { metrics } = z
      .object({ metrics: z.array(z.object({ name: z.string(), value: z.number() })) })
      .parse(await session.send("Performance.getMetrics"));
    return 1000 * (metrics.find(({ name }) => name === "ScriptDuration")?.value ?? 0);
  };
  const startedAt = performance.now();
  await page.goto(service.url);
  await page.locator("tr[data-instance]").first().waitFor();
  const firstRowsMs = performance.now() - startedAt;
  const [atFirstRows, firstRowsBytes] = [await scriptMs(), bytes];
  await page.getByRole("status").getByText(`${size} instances`).waitFor({ timeout: WHOLE_LIMIT_MS });
  const [wholeMs, wholeBytes, atWhole] = [performance.now() - startedAt, bytes, await scriptMs()];
  await sleep(WATCHED_MS);
  const scriptMsPerSecond = ((await scriptMs()) - atWhole) / (WATCHED_MS / 1000);
  await context.close();
  return { firstRowsMs, scriptMs: atFirstRows, firstRowsBytes, wholeMs, wholeBytes, scriptMsPerSecond };
}
