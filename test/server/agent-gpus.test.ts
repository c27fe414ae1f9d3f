import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type AgentMachine, machineWith, type Post, type Setup, SHELLS, under } from "./agent-machine.ts";

/** What the agent sees of GPUs between two heartbeats, on a machine that is made up. */

/** sh that prints what each call of nvidia-smi does: `list`, `ring` and `apps` are sh that knows `$posts`, and `$first`: 1 at the first call since that post. */
interface Nvidia {
  readonly list: string;
  readonly ring?: string;
  readonly apps?: string;
}

function nvidia({ list, ring = "", apps = "" }: Nvidia): string {
  return `posts=$(ls "$S/posts" | grep -c json)
case "$*" in
  *--query-gpu=index*) kind=list ;;
  *UTILIZATION*) kind=ring ;;
  *--query-compute-apps*) kind=apps ;;
esac
first=1
[ ! -e "$S/asked.$kind.$posts" ] || first=0
echo >>"$S/asked.$kind.$posts"
echo "$kind" >>"$S/asked"
case $kind in
list) ${list || ":"} ;;
ring) ${ring || ":"} ;;
apps) ${apps || ":"} ;;
esac`;
}

const machineWithGpus = (gpus: Nvidia, setup: Setup = {}) =>
  machineWith({ ...setup, programs: { "nvidia-smi": nvidia(gpus), ...setup.programs } });

/** A line as `--query-gpu` prints it. */
function gpu(index: number, utilization: string, watts = "60.12", usedMib = "1024") {
  return `echo "${index}, NVIDIA H100 80GB HBM3, ${utilization}, ${usedMib}, 81559, ${watts}, 700.00, 00000000:0${index + 1}:00.0, GPU-00000000-0000-0000-0000-00000000000${index}"`;
}

const process_ = (index: number, pid: number, mib: string) =>
  `echo "GPU-00000000-0000-0000-0000-00000000000${index}, ${pid}, ${mib}"`;

/** As `nvidia-smi -q -d UTILIZATION` of driver 550 prints it. */
function ring(...maxima: readonly string[]): string {
  const gpus = maxima.map(
    (max, index) => `GPU 00000000:0${index + 1}:00.0
    Utilization
        Gpu                               : 0 %
        Memory                            : 0 %
        Encoder                           : 0 %
    GPU Utilization Samples
        Duration                          : ${max === "N/A" ? max : "18.75 sec"}
        Number of Samples                 : ${max === "N/A" ? max : "99"}
        Max                               : ${max}
        Min                               : ${max === "N/A" ? max : "0 %"}
        Avg                               : ${max === "N/A" ? max : "0 %"}
    Memory Utilization Samples
        Duration                          : 18.75 sec
        Max                               : 55 %
    ENC Utilization Samples
        Max                               : 66 %
`,
  );
  return `cat <<'X'

==============NVSMI LOG==============

Timestamp                                 : Fri Nov 27 10:00:00 2026
Driver Version                            : 550.54.15
CUDA Version                              : 12.4

Attached GPUs                             : ${maxima.length}
${gpus.join("\n")}
X
`;
}

const percents = (posts: readonly Post[]) =>
  posts.map(({ body }) => [body.gpu_utilization, body.gpu_utilization_max]);
const processes = (post: Post | undefined) =>
  post?.body.sources?.find(({ name }) => name === "compute_processes");

describe.each(SHELLS)("under %s, with %s", (shell, awk) => {
  const of = (setup: Setup = {}) => under(shell, awk, setup);

  it("a second of work between two heartbeats is seen: the maximum, and the mean of all samples", async () => {
    const machine = await machineWithGpus(
      { list: `use=0; [ "$posts$first" != 11 ] || use=92; ${gpu(0, "$use")}; ${gpu(1, "1", "[N/A]")}` },
      of(),
    );
    const posts = await machine.beats(3);
    expect(posts[0]?.body).toMatchObject({ gpu_utilization: 1, gpu_utilization_max: 1 });
    expect(posts[1]?.body).toMatchObject({
      gpu_utilization_max: 92,
      gpus: [
        {
          index: 0,
          name: "NVIDIA H100 80GB HBM3",
          utilization_max: 92,
          vram_used_gb: 1.07,
          vram_total_gb: 85.52,
          power_watts: 60.12,
          power_limit_watts: 700,
          compute_processes: 0,
        },
        { index: 1, utilization: 1, utilization_max: 1, power_watts: null },
      ],
    });
    // Of four samples, or five where the interval is a little longer.
    expect([23, 18.4]).toContain(posts[1]?.body.gpu_utilization);
    expect(posts[2]?.body).toMatchObject({ gpu_utilization: 1, gpu_utilization_max: 1 });
  });

  it("what no sample has caught is seen in the driver's own, for the GPU that it is of", async () => {
    const machine = await machineWithGpus(
      {
        list: `${gpu(0, "0")}; ${gpu(1, "0")}`,
        ring: `if [ "$posts" = 1 ]; then ${ring("0 %", "97 %")}
else ${ring("0 %", "3 %")}
fi`,
      },
      of(),
    );
    const posts = await machine.beats(3);
    expect(percents(posts)).toEqual([
      [0, 3],
      [0, 97],
      [0, 3],
    ]);
    expect(posts[1]?.body.gpus?.map((each) => each.utilization_max)).toEqual([0, 97]);
  });

  it("a process that only holds memory has not worked; one that is new, or whose memory grew, has", async () => {
    const machine = await machineWithGpus(
      {
        list: gpu(0, "0"),
        apps: `case $posts in
0 | 1) ${process_(0, 11, "40000")} ;;
2) ${process_(0, 11, "40015")} ;;
3) ${process_(0, 11, "40016")} ;;
4) ${process_(0, 11, "40016")}; ${process_(0, 12, "[N/A]")} ;;
*) ${process_(0, 11, "100")} ;;
esac`,
      },
      of(),
    );
    const posts = await machine.beats(6);
    expect(posts.map((post) => processes(post)?.value)).toEqual([0, 0, 0, 1, 1, 0]);
    expect(posts.map(({ body }) => body.gpus?.[0]?.compute_processes)).toEqual([1, 1, 1, 1, 2, 1]);
  });
});

it("an outage hides no maximum, and each late reading has that of its own time", async () => {
  const machine = await machineWithGpus(
    {
      list: `use=2; [ "$posts$first" != 21 ] || use=88; ${gpu(0, "$use", "$((60 + use)).00")}`,
      apps: `${process_(0, 11, "1")}; [ "$posts" != 2 ] || ${process_(0, 12, "1")}`,
    },
    { answer: `case $n in 2 | 3 | 4) status=503 ;; esac` },
  );
  const posts = await machine.beats(6);
  const last = posts[4]?.body;
  expect(last).toMatchObject({ gpu_utilization_max: 88, gpus: [{ utilization_max: 88, power_watts: 148 }] });
  expect(last?.backlog?.map(([sequence, , percent]) => [sequence, percent])).toEqual([
    [2, 2],
    [3, 88],
    [4, 2],
  ]);
  expect(processes(posts[4])?.value).toBe(1);
  expect(posts[5]?.body).toMatchObject({ gpu_utilization_max: 2, gpus: [{ power_watts: 62 }] });
  expect(processes(posts[5])?.value).toBe(0);
});

it("a service that takes nothing but the least has not taken the maximum", async () => {
  const machine = await machineWithGpus(
    { list: `use=2; [ "$posts$first" != 11 ] || use=88; ${gpu(0, "$use")}` },
    { answer: `case $n,$body in 2,*) status=400 ;; esac` },
  );
  const posts = await machine.beats(5);
  expect(posts[2]?.body).toEqual({ instance_id: "28864630", status: "running" });
  expect(percents(posts).map(([, max]) => max)).toEqual([2, 88, undefined, 88, 2]);
});

it("a sample that failed makes the whole time unknown", async () => {
  const machine = await machineWithGpus({
    list: `[ "$posts$first" != 11 ] || exit 9; ${gpu(0, "70")}`,
  });
  expect(percents(await machine.beats(3))).toEqual([
    [70, 70],
    [null, null],
    [70, 70],
  ]);
});

it("where utilization cannot be read, as under MIG, memory and processes are", async () => {
  const machine = await machineWithGpus({ list: gpu(0, "[N/A]"), apps: process_(0, 11, "40000") });
  const [, post] = await machine.beats(2);
  expect(post?.body).toMatchObject({
    gpu_utilization: null,
    gpu_utilization_max: null,
    gpus: [{ utilization: null, utilization_max: null, vram_used_gb: 1.07, compute_processes: 1 }],
  });
  expect(processes(post)).toEqual({ name: "compute_processes", value: 0 });
});

it("processes of a part of a GPU are counted, though nobody says at which GPU", async () => {
  const machine = await machineWithGpus({
    list: `${gpu(0, "[N/A]")}; ${gpu(1, "[N/A]")}`,
    apps: `${process_(1, 12, "100")}; echo "MIG-7, 11, $posts$posts"`,
  });
  const [, post] = await machine.beats(2);
  expect(processes(post)?.value).toBe(0);
  expect(post?.body.gpus?.map((each) => each.compute_processes)).toEqual([null, 1]);
});

it("a program that has gone leaves its GPUs and their processes unknown", async () => {
  const machine = await machineWithGpus({ list: gpu(0, "3") }, { answer: `rm -f "$S/bin/nvidia-smi"` });
  const [, post] = await machine.beats(2);
  expect(post?.body).toMatchObject({
    gpu_utilization: null,
    gpus: [{ utilization: null, compute_processes: null }],
  });
  expect(processes(post)).toMatchObject({ value: null, note: "nvidia-smi fails with 127" });
});

describe("the driver's own samples", () => {
  const asked = async (machine: AgentMachine) =>
    (await readFile(machine.path("asked"), "utf8")).split("\n").filter((kind) => kind === "ring").length;

  it.each(["N/A", "Not Found"])(
    "are asked for at heartbeats alone where it says %s, in case it says more later",
    async (word) => {
      const machine = await machineWithGpus({ list: gpu(0, "7"), ring: ring(word) });
      expect(percents(await machine.beats(3))).toEqual([
        [7, 7],
        [7, 7],
        [7, 7],
      ]);
      expect(await asked(machine)).toBe(4);
    },
  );

  it("are asked for with each sample where nvidia-smi is quick", async () => {
    const machine = await machineWithGpus({ list: gpu(0, "7"), ring: ring("9 %") });
    await machine.beats(3);
    expect(await asked(machine)).toBeGreaterThanOrEqual(8);
  });

  it("are asked for at heartbeats alone where it is slow", async () => {
    const machine = await machineWithGpus({
      list: `awk '{ printf "%.2f 1.00\\n", $1 + 0.8 }' "$S/proc/uptime" >"$S/later"; cp "$S/later" "$S/proc/uptime"; ${gpu(0, "7")}`,
      ring: ring("9 %"),
    });
    expect(percents(await machine.beats(3))).toEqual([
      [7, 9],
      [7, 9],
      [7, 9],
    ]);
    expect(await asked(machine)).toBe(4);
  });
});

it("a hanging nvidia-smi is left alone for a while; meanwhile its GPUs are unknown, and a note says why", async () => {
  const machine = await machineWithGpus({
    list: `[ "$posts$first" != 11 ] || exec tail -f /dev/null; ${gpu(0, "3")}`,
  });
  const posts = await machine.beats(4);
  // The third may have been asked again in all of its time, or not.
  expect([posts[0], posts[1], posts[3]].map((post) => post?.body.gpu_utilization_max)).toEqual([3, null, 3]);
  expect(posts[1]?.body.gpus).toMatchObject([{ index: 0, utilization: null, vram_used_gb: null }]);
  expect(processes(posts[1])).toEqual({
    name: "compute_processes",
    value: null,
    note: "nvidia-smi does not answer",
  });
  // Once before it hung, once when it did, and not at each of the samples of the next minute.
  const asked = (await readFile(machine.path("asked"), "utf8")).match(/list/g) ?? [];
  expect(asked.length).toBeLessThan(14);
});

it("sixty-four GPUs and as many sources as there can be fit one heartbeat, whatever else is left out", async () => {
  const long = "x".repeat(200);
  const gpus = Array.from(
    { length: 64 },
    (_, index) =>
      `echo "${index}, NVIDIA ${long}, 100, 81000, 81559, 699.99, 700.00, 00000000:${String(index)}:00.0, GPU-${index}"`,
  );
  const machine = await machineWithGpus(
    { list: gpus.join("\n") },
    {
      environment: {
        DUMONT_WORK_URLS: ["a", "b", "c", "d"].map((name) => `${name.repeat(27)}=http://h/#m`).join(" "),
      },
      pages: "echo 'm 123456789'",
    },
  );
  for (let number = 1; number <= 9; number++)
    await machine.program(`../activity.d/${"s".repeat(24)}${number}`, `echo ${long}; exit 0`);
  const { stdout } = await machine.agent(["once", "--dry-run"]);
  expect(stdout.trim().length).toBeLessThanOrEqual(16_000);
  const reading = await machine.reading();
  expect(reading.sources?.length).toBeGreaterThanOrEqual(18);
  expect(reading.gpus).toHaveLength(64);
  for (const each of reading.gpus ?? [])
    expect(each).toMatchObject({ utilization: 100, utilization_max: 100 });
});
