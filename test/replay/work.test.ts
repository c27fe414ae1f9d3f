import { describe, expect, it } from "vitest";
import type { Heartbeat } from "../../src/lifecycle/model/heartbeat.ts";
import type { KeptUse } from "../../src/lifecycle/model/kept-use.ts";
import { SOURCE_KINDS, type SourceKind } from "../../src/lifecycle/model/source-settings.ts";
import { sayWork, showsWork } from "../../src/replay/work.ts";
import { readingAt } from "./stories.ts";

function use(more: Partial<KeptUse>): KeptUse {
  return { gpuMaxPercent: null, sources: [], unread: [], preparation: null, ...more };
}

function source(kind: SourceKind, value: number): KeptUse {
  return use({ sources: SOURCE_KINDS.map((each) => (each === kind ? value : null)) });
}

const IDLE = { gpuPercent: 0, cpuPercent: 2 };

const withGpu: readonly [string, Partial<Heartbeat>, boolean, string][] = [
  ["a GPU at 3 %", { gpuPercent: 3 }, true, "GPU at 3%"],
  ["a GPU just below", { gpuPercent: 2.9 }, false, "nothing"],
  ["a GPU that was busy in between", { gpuPercent: 0, use: use({ gpuMaxPercent: 40 }) }, true, "GPU at 40%"],
  ["a busy CPU beside an idle GPU", { gpuPercent: 0, cpuPercent: 95 }, false, "nothing"],
  ["somebody signed in", { ...IDLE, use: source("ssh_connections", 1) }, true, "in use: 1 ssh_connections"],
  ["half a core", { ...IDLE, use: source("cpu_cores", 0.5) }, true, "in use: cpu_cores 0.5"],
  ["less", { ...IDLE, use: source("cpu_cores", 0.4) }, false, "nothing"],
  ["activity of an older agent", { ...IDLE, activity: "2 ssh_sessions" }, true, "in use: 2 ssh_sessions"],
  ["a GPU that cannot be read", { cpuPercent: 2 }, true, "no reading"],
  ["a source that cannot be read", { ...IDLE, use: use({ unread: ["work"] }) }, true, "work cannot be read"],
  [
    "hooks that save",
    { gpuPercent: 80, use: use({ gpuMaxPercent: 95, preparation: "running" }) },
    false,
    "GPU at 95%",
  ],
  ["hooks that are said to run", { gpuPercent: 80, status: "preparing" }, false, "GPU at 80%"],
];

const withoutGpu: readonly [string, Partial<Heartbeat>, boolean][] = [
  ["a CPU at 5 %", { cpuPercent: 5 }, true],
  ["a CPU just below", { cpuPercent: 4.9 }, false],
  ["a CPU that cannot be read", {}, true],
];

describe("work", () => {
  it.each(withGpu)("of a machine with a GPU, by %s", (_, shows, isWork, says) => {
    const reading = readingAt(0, shows);
    expect(showsWork(reading, true)).toBe(isWork);
    expect(sayWork(reading, true)).toBe(says);
  });

  it.each(withoutGpu)("of a machine without one, by %s", (_, shows, isWork) => {
    expect(showsWork(readingAt(0, shows), false)).toBe(isWork);
  });
});
