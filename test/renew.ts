import { applyD1Migrations, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { resetMeter } from "../src/service/meter.ts";
import { emptyService } from "./fleet/fleets.ts";

/**
 * The files of a project share a runtime, since to start one takes longer than most of them do. Each finds it as if it were
 * new: nothing stored, no object in memory, the real clock.
 */

vi.restoreAllMocks();
vi.useRealTimers();
// Whatever waits in vitest moves a clock that a test has set by as long as it waits: on a slow machine, past the next second.
vi.advanceTimersByTime = () => vi;
// What the last file has counted is of no concern to this one.
resetMeter();
// What the last file was still asking may keep something from being deleted.
await vi.waitFor(empty, { timeout: 60_000 });
await emptyService();
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);

async function empty(): Promise<void> {
  await reset();
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_master WHERE name = 'users'").all();
  if (results.length > 0) throw new Error("the database of the last file is there still");
}
