import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { machineWith, type Post } from "./agent-machine.ts";

/** The agent's script on a machine that is made up, before a service that answers as it is told. */

const DAY_SECONDS = 86_400;
const MAXIMUM_BODY_BYTES = 16 * 1024;
/** Half the default time to an orphan. */
const LONGEST_SILENCE_SECONDS = 150;

const print = (text: string) => `cat <<'X'\n${text}\nX`;
const sequences = (posts: readonly Post[]) => posts.map(({ body }) => body.sequence);
const lateSequences = ({ body }: Post) => (body.backlog ?? []).map(([sequence]) => sequence);
const pauses = (posts: readonly Post[]) =>
  posts.slice(1).map(({ atSeconds }, index) => atSeconds - (posts[index]?.atSeconds ?? 0));

describe("a run of the agent", () => {
  it.each([
    ["after 300 days of uptime", { uptimeSeconds: 300 * DAY_SECONDS }],
    ["where no boot id can be read", { bootId: null }],
    ["where the boot id is nonsense", { bootId: `"${"x".repeat(500)}` }],
  ])("has a name of its own and counts from 1 %s", async (_, setup) => {
    const machine = await machineWith(setup);
    await machine.beats(3);
    const posts = await machine.beats(2);
    expect(sequences(posts)).toEqual([1, 2, 3, 1, 2]);
    const names = posts.map(({ body }) => body.boot_id ?? "");
    expect(new Set(names.slice(0, 3)).size).toBe(1);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9-]{8,64}$/);
  });

  it("begins its name with the kernel's boot id, which tells a restart of the machine", async () => {
    const [post] = await (await machineWith()).beats(1);
    expect(post?.body.boot_id).toMatch(/^11111111-2222-3333-4444-555555555555-./);
  });

  it("is not what a single report belongs to, so that `once` upsets no agent that runs beside it", async () => {
    expect(await (await machineWith()).reading()).toMatchObject({ boot_id: null, sequence: null });
  });

  it("lasts where /proc/uptime cannot be read", async () => {
    const machine = await machineWith();
    await machine.program("cut", "exit 1");
    expect(await machine.reading()).toMatchObject({ uptime_seconds: null });
  });
});

describe("what was not read is unknown, never zero", () => {
  const unknown = { utilization: null, vram_used_gb: null };

  it.each(["[N/A]", "[Not Supported]", "ERR!", "[Unknown Error]", "", "-1", "1e3", "nan"])(
    "when nvidia-smi says '%s'",
    async (word) => {
      const machine = await machineWith({
        programs: { "nvidia-smi": print(`0, NVIDIA A100, ${word}, ${word}, ${word}`) },
      });
      expect(await machine.reading()).toMatchObject({
        gpu_utilization: null,
        vram_used_gb: null,
        gpus: [{ index: 0, name: "NVIDIA A100", ...unknown, vram_total_gb: null }],
      });
    },
  );

  it.each(["N/A", "ERR!", "", "101"])("when rocm-smi says '%s'", async (word) => {
    const rocm = print(`device,GPU use (%),VRAM Total Memory (B),VRAM Total Used Memory (B)
card0,${word},N/A,N/A
card1,17,68702699520,4294967296`);
    const machine = await machineWith({ programs: { "rocm-smi": rocm } });
    expect(await machine.reading()).toMatchObject({
      gpu_utilization: 17,
      gpus: [
        { index: 0, ...unknown, vram_total_gb: null },
        { index: 1, utilization: 17, vram_used_gb: 4.29, vram_total_gb: 68.7 },
      ],
    });
  });

  it("when amd-smi says N/A, and its lists in quotes move no column", async () => {
    const amd = print(`gpu,gfx_activity,umc_activity,vcn_activity,total_vram,used_vram,free_vram
0,N/A,N/A,"['1 %', '2 %']",196592,2048,194544
1,42 %,10,"['N/A', 'N/A', 'N/A']",196592 MB,2048 MB,194544 MB`);
    const machine = await machineWith({ programs: { "amd-smi": amd } });
    expect(await machine.reading()).toMatchObject({
      gpus: [
        { index: 0, utilization: null, vram_used_gb: 2.15 },
        { index: 1, utilization: 42, vram_used_gb: 2.15 },
      ],
    });
  });

  it("when a GPU can no longer be read: it stays, with its name, until it can again", async () => {
    const machine = await machineWith({
      programs: {
        "nvidia-smi": `n=$(ls "$S/posts" | grep -c json)
[ "$n" != 1 ] || { echo 'Unable to determine the device handle for GPU0000:01:00.0: Unknown Error'; exit 255; }
echo '0, NVIDIA H100, 91, 1024, 81559'
[ "$n" = 2 ] || echo '1, NVIDIA H100, 3, 1024, 81559'`,
      },
    });
    const bodies = (await machine.beats(4)).map(({ body }) => body);
    expect(bodies.map((body) => body.gpu_utilization)).toEqual([91, null, 91, 91]);
    expect(bodies.map((body) => body.vram_used_gb)).toEqual([2.14, null, 1.07, 2.14]);
    expect(bodies.map((body) => body.gpus?.map((gpu) => gpu.utilization))).toEqual([
      [91, 3],
      [null, null],
      [91, null],
      [91, 3],
    ]);
    expect(bodies[1]?.gpus).toMatchObject([
      { index: 0, name: "NVIDIA H100", ...unknown },
      { index: 1, name: "NVIDIA H100", ...unknown },
    ]);
  });

  it("when a GPU could not be read from the start, but its device is there", async () => {
    const machine = await machineWith({ programs: { "nvidia-smi": "exit 9" } });
    await mkdir(machine.path("dev"));
    for (const device of ["nvidia0", "nvidia1", "nvidiactl"]) await machine.write(`dev/${device}`, "");
    expect(await machine.reading()).toMatchObject({
      gpu_utilization: null,
      gpus: [
        { index: 0, ...unknown },
        { index: 1, ...unknown },
      ],
    });
  });

  it("when the memory that is left is not said", async () => {
    const machine = await machineWith({ programs: { df: "echo; echo '/dev/x - - - - /'" } });
    await machine.write("proc/meminfo", "MemTotal: 1000000 kB\n");
    expect(await machine.reading()).toMatchObject({ ram_used_gb: null, disk_used_gb: null });
  });

  it("but a cost of '.5' is half a dollar", async () => {
    const machine = await machineWith({ uptimeSeconds: 7200 });
    expect(await machine.reading({ DUMONT_HOURLY_COST: ".5" })).toMatchObject({ cost_accumulated: 1.0001 });
  });

  it.each(["free", "-1", "0.4\n0.5", "1e400"])("when the hourly cost is '%s'", async (cost) => {
    const machine = await machineWith();
    expect(await machine.reading({ DUMONT_HOURLY_COST: cost })).toMatchObject({ cost_accumulated: null });
  });

  it("when Jupyter does not answer, which keeps the instance in use", async () => {
    const machine = await machineWith();
    const reading = await machine.reading({ DUMONT_JUPYTER_URL: "http://127.0.0.1:8888?token=x" });
    expect(reading.activity).toMatchObject({ jupyter_unreachable: 1 });
  });

  it("when the CPU's counters begin again", async () => {
    const machine = await machineWith({
      answer: `[ "$n" != 1 ] || echo 'cpu 1 0 1 9000 0 0 0 0 0 0' >"$S/proc/stat"`,
    });
    const posts = await machine.beats(2);
    expect(posts[1]?.body.cpu_utilization).toBeNull();
  });
});

it("the CPU is read as finely after years of use", async () => {
  const machine = await machineWith({
    answer: `echo 'cpu 90000006000 0 0 900000006000 0 0 0 0 0 0' >"$S/proc/stat"`,
  });
  await machine.write("proc/stat", "cpu 90000000000 0 0 900000000000 0 0 0 0 0 0\n");
  const posts = await machine.beats(2);
  expect(posts[1]?.body.cpu_utilization).toBe(50);
});

it.each([
  `28864630"},"status":"hibernating`,
  "two\nlines\r\ttab",
  "back\\slash\\",
  "$(echo run)`echo run`%s%n",
])("whatever is in the environment, the heartbeat is JSON: %j", async (value) => {
  const machine = await machineWith({
    programs: { "nvidia-smi": `printf '0, %s, 1, 1, 1\\n' "$DUMONT_INSTANCE_ID"` },
  });
  const reading = await machine.reading({
    DUMONT_INSTANCE_ID: value,
    DUMONT_JUPYTER_URL: value,
    DUMONT_HOURLY_COST: value,
    DUMONT_HIBERNATE_COMMAND: value,
  });
  expect(reading.instance_id).toBe(value.replace(/[\n\r\t]/g, ""));
  expect(reading.status).toBe("running");
});

it.each(["service.test", "--output=/etc/passwd", "http://service.test/ --x", "file:///etc/passwd"])(
  "an address that is none is refused at the start: %j",
  async (url) => {
    const machine = await machineWith();
    await expect(machine.agent(["run"], { DUMONT_API_URL: url })).rejects.toThrow("DUMONT_API_URL");
  },
);

describe("readings that wait", () => {
  it("fit the body that the service takes, the newest first to be kept", async () => {
    // A name that leaves little room, so that few readings fill it.
    const machine = await machineWith({
      environment: { DUMONT_INSTANCE_ID: "x".repeat(14_000) },
      answer: `status=000; [ "$n" -le 50 ] || status=200`,
    });
    const posts = await machine.beats(51);
    for (const { text } of posts) expect(text.length).toBeLessThanOrEqual(MAXIMUM_BODY_BYTES);
    const last = posts.at(-1);
    const late = last === undefined ? [] : lateSequences(last);
    expect(late.length).toBeGreaterThan(20);
    expect(late).toEqual(late.map((_, index) => 51 - late.length + index));
    expect(late.length).toBeLessThan(50);
  });

  it("are dropped when they are older than a week, or of no age", async () => {
    const machine = await machineWith({
      answer: `case $n in
1) status=503; echo '1728000.00 1' >"$S/proc/uptime" ;;
2) status=503; echo '2332801.00 1' >"$S/proc/uptime" ;;
3) status=503 ;;
4) status=503; echo '5.00 1' >"$S/proc/uptime" ;;
esac`,
    });
    const posts = await machine.beats(6);
    expect(posts.map(lateSequences)).toEqual([[], [1], [], [3], [], []]);
  });

  it.each(["400", "413"])("are left out at once when the service refuses them with %s", async (status) => {
    const machine = await machineWith({
      answer: `case $n in 1 | 2 | 3 | 4) status=503 ;; *) case $body in *'"backlog":[]'*) ;; *) status=${status} ;; esac ;; esac`,
    });
    const posts = await machine.beats(8);
    expect(posts.map(lateSequences)).toEqual([[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [3, 4], [], []]);
    expect(pauses(posts).slice(4, 6)).toEqual([0, 0]);
    expect(sequences(posts)).toEqual([1, 2, 3, 4, 5, 5, 5, 6]);
  });

  it("are left out but for those that the service takes", async () => {
    const machine = await machineWith({
      answer: `case $n in 1 | 2 | 3) status=503 ;; *) case $body in *'[1,'*) status=413 ;; esac ;; esac`,
    });
    expect((await machine.beats(6)).map(lateSequences)).toEqual([[], [1], [1, 2], [1, 2, 3], [3], []]);
  });
});

describe("a service that refuses all but the least", () => {
  it.each(["400", "413"])("by %s hears that the instance lives, at once and each time", async (status) => {
    const machine = await machineWith({
      answer: `case $body in *gpus*) status=${status} ;; esac`,
    });
    const posts = await machine.beats(4);
    expect(posts.filter((_, index) => index % 2 === 1).map(({ body }) => body)).toEqual([
      { instance_id: "28864630", status: "running" },
      { instance_id: "28864630", status: "running" },
    ]);
    expect(pauses(posts)[0]).toBe(0);
    expect(pauses(posts)[1]).toBeGreaterThan(50);
    expect(pauses(posts)[1]).toBeLessThan(70);
  });

  it("is told the last word too", async () => {
    const machine = await machineWith({
      environment: { DUMONT_HIBERNATE_COMMAND: `touch "$S/hibernated"` },
      answer: `case $body in *gpus*) status=400 ;; *running*) text='{"success":true,"next_heartbeat_in_seconds":60,"actions":[{"type":"hibernate","message":"x"}]}' ;; esac`,
    });
    const posts = await machine.beats(4);
    expect(posts[3]?.body).toEqual({ instance_id: "28864630", status: "hibernating" });
    await stat(machine.path("hibernated"));
  });
});

it("a machine that was prepared, and cannot hibernate, says so", async () => {
  const machine = await machineWith({
    environment: { DUMONT_HIBERNATE_COMMAND: "true" },
    answer: `text='{"success":true,"next_heartbeat_in_seconds":60,"actions":[{"type":"hibernate","message":"x"}]}'`,
  });
  const before = await machine.beats(2);
  await machine.agent(["run"], { DUMONT_HIBERNATE_COMMAND: "", LIMIT: String(before.length + 3) });
  const names = (await readdir(machine.path("posts"))).filter((name) => name.endsWith(".json")).sort();
  const texts = await Promise.all(names.map((name) => readFile(machine.path(`posts/${name}`), "utf8")));
  expect(texts.slice(before.length).map((text) => JSON.parse(text).status)).toContain("no_hibernate_command");
});

it.each([
  [40, 50, 75],
  [90, 100, 130],
])(
  "where all that it asks takes %i s, it is still heard at the pace that the service wants, or nearly",
  async (seconds, least, most) => {
    const machine = await machineWith({
      programs: {
        // The clock goes on while something hangs.
        who: `awk '{ printf "%.2f 1.00\\n", $1 + ${seconds} }' "$S/proc/uptime" >"$S/later"; cp "$S/later" "$S/proc/uptime"`,
      },
    });
    const all = pauses(await machine.beats(6));
    expect(Math.max(...all)).toBeLessThanOrEqual(most);
    expect(Math.min(...all)).toBeGreaterThan(least);
  },
);

it("a disk that is full is used for nothing, and the GPUs are read", async () => {
  const machine = await machineWith({
    shell: "unshare --mount with-full-disk",
    programs: {
      "with-full-disk": `mkdir "$S/run"; mount -t tmpfs -o size=16k full "$S/run"; cat /dev/zero >"$S/run/all" 2>/dev/null
exec sh "$@"`,
      "nvidia-smi": `case "$*" in *query-gpu*) echo "0, NVIDIA A100, 50, 1024, 40960, 60.00, 400.00, 00000000:01:00.0, GPU-1" ;; esac`,
    },
  });
  const { gpus } = await machine.reading();
  expect(gpus?.map(({ utilization }) => utilization)).toEqual([50]);
});

describe("between attempts", () => {
  it.each(["503", "500", "429", "401", "403", "404", "400", "302", "000"])(
    "there is never half the time to an orphan, however often the service says %s",
    async (status) => {
      const posts = await (await machineWith({ answer: `status=${status}` })).beats(9);
      expect(Math.max(...pauses(posts))).toBeLessThanOrEqual(LONGEST_SILENCE_SECONDS - 30);
      expect(Math.max(...pauses(posts).slice(-4))).toBeGreaterThan(50);
    },
  );

  it.each([
    ["by its clock", ""],
    ["also by a clock that stands still", `echo '1728000.00 1.00' >"$S/proc/uptime"`],
  ])("it looks around every five seconds, %s", async (_, clock) => {
    const machine = await machineWith();
    const turn = await readFile(machine.path("bin/sleep"), "utf8");
    const posted = `$(ls "$S/posts" | grep -c json)`;
    await machine.program(
      "sleep",
      `echo "${posted} $1" >>"$S/slept"\n${turn.replace("#!/bin/sh\n", "")}\n${clock}`,
    );
    await machine.beats(2);
    const lines = (await readFile(machine.path("slept"), "utf8")).split("\n").filter(Boolean);
    // Between the first heartbeat and the second: a minute, and a tenth of it more or less by chance.
    const slept = lines.filter((line) => line.startsWith("1 ")).map((line) => Number(line.slice(2)));
    expect(Math.max(...slept)).toBe(5);
    expect(slept.reduce((sum, seconds) => sum + seconds, 0)).toBeGreaterThan(50);
    // Shorter ones wait for its programs, which are as slow as this machine is.
    expect(slept.filter((seconds) => seconds === 5).length).toBeLessThanOrEqual(13);
  });

  it("no more than two intervals pass where the interval is short", async () => {
    const posts = await (await machineWith({ answer: `interval=10; [ "$n" = 1 ] || status=503` })).beats(8);
    expect(Math.max(...pauses(posts))).toBeLessThanOrEqual(20);
  });

  it("as long passes as the service asks for, and more each time it asks again", async () => {
    const posts = await (await machineWith({ answer: "status=503 retry_after=5" })).beats(8);
    const [first = 0, second = 0, ...rest] = pauses(posts);
    expect(first).toBeGreaterThanOrEqual(5);
    expect(first).toBeLessThanOrEqual(6);
    expect(second).toBeGreaterThan(first);
    expect(Math.max(...rest)).toBeLessThanOrEqual(120);
  });

  it.each([
    ["86400", 120],
    ["99999999999999999999", 120],
    ["-5", 72],
    ["Wed, 21 Oct 2037 07:28:00 GMT", 72],
    ["0", 72],
  ])("a Retry-After of '%s' does not silence the agent", async (retryAfter, mostSeconds) => {
    const posts = await (await machineWith({ answer: `status=429; retry_after='${retryAfter}'` })).beats(2);
    const [pause = 0] = pauses(posts);
    expect(pause).toBeGreaterThanOrEqual(40);
    expect(pause).toBeLessThanOrEqual(mostSeconds);
  });

  it.each(["0", "00", "1e9", "-3", "x", "99999999999999999999", "..", '"'])(
    "an interval of '%s' is not believed",
    async (interval) => {
      const posts = await (await machineWith({ answer: `interval='${interval}'` })).beats(2);
      const [pause = 0] = pauses(posts);
      expect(pause).toBeGreaterThanOrEqual(50);
      expect(pause).toBeLessThanOrEqual(70);
    },
  );
});

it("an answer that is not the service's is none: its readings wait", async () => {
  const machine = await machineWith({
    answer: `[ "$n" != 1 ] || text='<html>Sign in to the network</html>'; [ "$n" != 2 ] || text='{"success":true}'`,
  });
  expect((await machine.beats(4)).map(lateSequences)).toEqual([[], [1], [1, 2], []]);
});

describe("uninstalled", () => {
  const root = {
    id: `[ "$1" = -u ] && echo 0 || [ -e "$S/user" ]`,
    useradd: `: >"$S/user"`,
    userdel: `rm "$S/user"`,
    systemctl: "",
  };

  it("leaves the folder of the configuration file, where that was there before", async () => {
    const machine = await machineWith({ programs: root });
    await machine.write("home/thesis.tex", "years of work");
    const at = { DUMONT_CONFIG_FILE: machine.path("home/agent.env"), DUMONT_HOOKS_DIR: machine.path("home") };
    await machine.agent(["install"], at);
    expect((await stat(machine.path("home/agent.env"))).mode & 0o777).toBe(0o600);
    await machine.agent(["uninstall"], at);
    expect(await readdir(machine.path("home"))).toEqual(["thesis.tex"]);
  });

  it("leaves nothing of what it made, however often it was installed", async () => {
    const machine = await machineWith({ programs: root });
    const at = {
      DUMONT_CONFIG_FILE: machine.path("etc/deep/agent.env"),
      DUMONT_HOOKS_DIR: machine.path("etc/deep/hooks.d"),
    };
    const before = await readdir(machine.folder);
    await machine.agent(["install", "--hibernate-command", "poweroff"], at);
    await machine.agent(["install"], at);
    expect(await readdir(machine.folder)).toEqual(expect.arrayContaining(["etc", "installed", "user"]));
    await machine.agent(["uninstall"], at);
    expect(await readdir(machine.folder)).toEqual(before);
    expect(await readdir(machine.path("units"))).toEqual([]);
  });

  it("leaves the owner's hooks, and a user that was there before", async () => {
    const machine = await machineWith({ programs: root });
    await machine.write("user", "");
    const at = {
      DUMONT_CONFIG_FILE: machine.path("etc/agent.env"),
      DUMONT_HOOKS_DIR: machine.path("etc/hooks.d"),
    };
    await machine.agent(["install"], at);
    await machine.write("etc/hooks.d/checkpoint", "#!/bin/sh\n");
    await machine.agent(["uninstall"], at);
    expect(await readdir(machine.path("etc"), { recursive: true })).toEqual([
      "hooks.d",
      "hooks.d/checkpoint",
    ]);
    await stat(machine.path("user"));
  });

  it("leaves a file that it did not write", async () => {
    const machine = await machineWith({ programs: root });
    await machine.write("home/other.conf", "DUMONT_INSTANCE_ID=1\n");
    await machine.agent(["uninstall"], { DUMONT_CONFIG_FILE: machine.path("home/other.conf") });
    expect(await readdir(machine.path("home"))).toEqual(["other.conf"]);
  });

  it.each([`sh -c 'echo "$HOME" \\n \`id\`'`, "it's off", `say "off"`, "plain"])(
    "was installed with its command as it stands: %s",
    async (command) => {
      const machine = await machineWith({ programs: root });
      const at = { DUMONT_CONFIG_FILE: machine.path("home/agent.env") };
      await machine.agent(["install", "--hibernate-command", command], at);
      const { stdout } = await machine.agent(["status"], at);
      expect(stdout).toContain(`hibernates: ${command}\n`);
    },
  );

  it("is not installed with a value of several lines", async () => {
    const machine = await machineWith({ programs: root });
    const at = { DUMONT_CONFIG_FILE: machine.path("home/agent.env") };
    await expect(
      machine.agent(["install", "--hibernate-command", "true\nLD_PRELOAD=/tmp/x"], at),
    ).rejects.toThrow("DUMONT_HIBERNATE_COMMAND");
    await expect(readFile(machine.path("home/agent.env"))).rejects.toThrow("ENOENT");
  });
});
