import { expect } from "vitest";
import type { Status } from "../../src/lifecycle/model/phase.ts";
import { at, Timeline } from "./timeline.ts";

const IDLE = { gpu_utilization: 2 };

const DAY = 24 * 60 * 60_000;

/** Idle for five minutes: a hibernation is ordered. */
export function idle(): Timeline {
  return new Timeline().beatUntil(at("5:00"), IDLE);
}

export function orphaned(): Timeline {
  const line = new Timeline();
  line.heartbeat();
  return line.until(at("10:00"));
}

/** Silent for half an hour, and let go by the guard: a hibernation is ordered. */
export function silent(): Timeline {
  const line = orphaned();
  line.until(at("30:00")).permit();
  expect(line.view.status).toBe("hibernating");
  return line;
}

/** Hibernated for silence, seven days an orphan, and let go by the guard: a delete is ordered. */
export function deleting(): Timeline {
  const line = silent();
  line.succeed();
  line.until(at("5:00") + 7 * DAY).command({ type: "cleanup" });
  line.permit();
  expect(line.view.status).toBe("deleting");
  return line;
}

export function waking(): Timeline {
  const line = idle().succeed();
  line.command({ type: "wake.requested" });
  return line;
}

/** One instance in each status. */
export const IN_STATUS: Record<Status, () => Timeline> = {
  pending: () => new Timeline(),
  running: () => new Timeline().beatUntil(at("1:00")),
  orphaned,
  hibernating: idle,
  hibernated: () => idle().succeed(),
  waking,
  deleting,
  deleted: () => deleting().succeed(),
};
