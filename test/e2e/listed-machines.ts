import type { Page } from "playwright-core";
import { answerTo } from "./pages.ts";

/** Vast.ai itself can't be asked by a test: what its lists would show. */

const machine = (ref: string, more: object = {}) => ({
  connection: "vast",
  provider: "vast",
  ref,
  name: null,
  state: "running",
  gpu: "RTX 4090",
  gpus: 2,
  region: "Sweden",
  hourly_cost: 0.5,
  stopped_hourly_cost: 0.01,
  member_of: null,
  vanished_at: null,
  ...more,
});

/**
 * The lists of the page name four machines at Vast.ai, the first of this name, of which nobody watches any; those of an account
 * without it stay empty.
 */
export async function listMachines(page: Page, name = "Whisper batch"): Promise<void> {
  await page.route(/\/api\/agent\/inventory\?/, async (route) => {
    const answer = await answerTo(route);
    if (answer === null) return;
    const { response, text } = answer;
    if (!text.includes('"connection":"vast"')) return route.fulfill({ response, body: text });
    await route.fulfill({
      json: {
        machines: [
          machine("28864630", { name, hourly_cost: 0.75 }),
          machine("28864631", { hourly_cost: null }),
          machine("28864632", { name: "Worker", member_of: "endpoint-7" }),
          machine("28864633", { name: "Asleep", state: "stopped" }),
        ],
        connections: [
          {
            connection: "vast",
            provider: "vast",
            name: "Team B",
            listed_at: new Date().toISOString(),
            complete: true,
            next_at: null,
            problem: null,
          },
        ],
        next_cursor: null,
      },
    });
  });
  await page.route(/\/connections\/vast\/sync/, (route) =>
    route.fulfill({ json: { connection: "vast", listed_at: null, problem: null } }),
  );
}
