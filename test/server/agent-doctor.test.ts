import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { DEFAULT_SOURCES } from "../../src/lifecycle/model/source-settings.ts";
import { AGENT, machineWith } from "./agent-machine.ts";

/** `dumont-agent doctor`: what is read, from where, and what of it counts as use. */

const NVIDIA = `case "$*" in
*driver_version*) echo '550.54.15, Enabled' ;;
*--query-gpu*) echo "0, NVIDIA H100, 3, 1024, 81559, 60.12, 700.00, 00000000:01:00.0, GPU-1" ;;
*UTILIZATION*) printf 'GPU 00000000:01:00.0\\n    GPU Utilization Samples\\n        Max : %s %%\\n' "$RING" ;;
*apps*) echo 'GPU-1, 7, 100' ;;
esac`;

describe.each(["dash", "bash", "busybox sh"])("under %s", (shell) => {
  it("says all that an issue should, and nothing secret", async () => {
    const machine = await machineWith({
      shell,
      programs: { "nvidia-smi": NVIDIA },
      pages: `case $url in *kernels*) exit 22 ;; *) echo '{"success":true}' ;; esac`,
      environment: {
        RING: "4",
        DUMONT_API_TOKEN: "very-secret",
        DUMONT_ENROLLMENT_TOKEN: "very-secret",
        DUMONT_HIBERNATE_COMMAND: "stop --key very-secret",
        DUMONT_JUPYTER_URL: "http://127.0.0.1:8888/?token=very-secret",
        DUMONT_WORK_URLS: "x=http://me:very-secret@127.0.0.1/m?key=very-secret#requests",
        DUMONT_API_URL: "http://service.test",
      },
    });
    await machine.program("../activity.d/queue", "echo '2 jobs'; exit 0");
    const { stdout } = await machine.agent(["doctor"]);
    expect(stdout).not.toContain("very-secret");
    for (const line of [
      /^dumont-agent 1\.\d+\.\d+, doctor at \d{4}-/m,
      /service: +reached at http:\/\/service\.test$/m,
      /DUMONT_API_TOKEN +set$/m,
      /DUMONT_HIBERNATE_COMMAND +set$/m,
      /DUMONT_WORK_URLS +x=http:\/\/\*\*\*@127\.0\.0\.1\/m\?\*\*\*#requests$/m,
      /driver: +550\.54\.15, Enabled .*; its own samples: read$/m,
      /GPU 0 +NVIDIA H100: highest 4 %, memory 1\.07 of 85\.52 GB, power 60\.12 of 700 W, compute processes 1$/m,
      /ssh_connections +0 +1 +quiet {2}\(.*\/proc\/net\/tcp and tcp6, ports 22\)$/m,
      /cpu_cores +0 +0\.5 +quiet {2}\(.*\/proc\/stat\)$/m,
      /busy_kernels +unknown +1 +IN USE, as it is unknown {2}\(127\.0\.0\.1:8888 does not list its kernels\)$/m,
      /script_queue +1 +1 +IN USE {2}\(2 jobs\)$/m,
      /^By the default policy it is in use now: busy_kernels work_x script_queue$/m,
    ])
      expect(stdout).toMatch(line);
  });
});

it.each([
  ["4", "By the default policy nothing uses it now."],
  ["5", "By the default policy it is in use now: GPU"],
])("judges a GPU that was at %s %%", async (ring, verdict) => {
  const machine = await machineWith({
    programs: { "nvidia-smi": NVIDIA },
    environment: { RING: ring },
  });
  expect((await machine.agent(["doctor"])).stdout.trim().split("\n").at(-1)).toBe(verdict);
});

it("works before anything is set up, and says why nothing is idle", async () => {
  const machine = await machineWith({
    environment: { DUMONT_INSTANCE_ID: "", DUMONT_API_TOKEN: "" },
    pages: "exit 7",
  });
  const { stdout } = await machine.agent(["doctor"]);
  expect(stdout).toContain("NOT reached at http://service.test");
  expect(stdout).toContain("nothing: neither nvidia-smi, amd-smi nor rocm-smi is here");
  expect(stdout).toContain(
    "Idleness is judged by the GPU, whose utilization is unknown: this machine is not idle.",
  );
});

it("goes by the thresholds that the service has by default", async () => {
  const text = await readFile(AGENT, "utf8");
  const thresholds = /^SOURCE_THRESHOLDS="([^"]*)"$/m.exec(text)?.[1] ?? "";
  expect(Object.fromEntries(thresholds.split(/\s+/).map((each) => each.split("=")))).toEqual(
    Object.fromEntries(Object.entries(DEFAULT_SOURCES).map(([name, value]) => [name, String(value)])),
  );
});
