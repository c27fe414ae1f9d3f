import { mkdir, readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type AgentMachine, machineWith, type Post, type Setup, SHELLS, under } from "./agent-machine.ts";

/** Sources of activity, on a machine that is made up. */

function source({ body }: Pick<Post, "body">, name: string) {
  return body.sources?.find((each) => each.name === name);
}

const values = (posts: readonly Post[], name: string) => posts.map((post) => source(post, name)?.value);

/** The agent's pauses are random: what is told by the second is held against the time that has passed. */
const secondsBetween = ([first, second]: readonly Post[]) =>
  (second?.atSeconds ?? 0) - (first?.atSeconds ?? 0);

/** A line of /proc/net/tcp: 0A is a port that listens, 01 an established connection. */
function connection(port: number, state: "01" | "0A" | "06", address = "0100007F"): string {
  const local = `${address}:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return `   0: ${local} 0200007F:C350 ${state} 00000000:00000000 00:00000000 00000000     0        0 12345 1\n`;
}

const TCP_HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";
const NET_HEADING = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999999999 1 0 0 0 0 0 0 999999999 1 0 0 0 0 0 0
`;

/** Moves the machine's clock so far beyond its next heartbeat that rates are easily reckoned. */
const EXACTLY = 1_728_000;

describe.each(SHELLS)("under %s, with %s", (shell, awk) => {
  const of = (setup: Setup = {}) => under(shell, awk, setup);

  it("established connections to SSH and notebooks are counted, also one that came and went between two heartbeats", async () => {
    const machine = await machineWith(
      of({
        answer: `cp "$S/busy" "$S/proc/net/tcp"`,
        environment: { DUMONT_SSH_PORTS: "22, 2222 017 99999 ssh" },
        // A connection lasts for a third of the time between two heartbeats.
        programs: {
          awk: `exec ${awk} "$@"`,
        },
      }),
    );
    await machine.write(
      "busy",
      TCP_HEADING +
        connection(22, "01") +
        connection(2222, "01") +
        connection(22, "0A") +
        connection(22, "06") +
        connection(8888, "01") +
        connection(80, "01"),
    );
    await machine.write("proc/net/tcp", TCP_HEADING + connection(22, "0A"));
    await machine.write(
      "proc/net/tcp6",
      TCP_HEADING +
        connection(22, "01", "0000000000000000FFFF00000100007F") +
        connection(8080, "01", "00000000000000000000000001000000"),
    );
    const posts = await machine.beats(2);
    expect(values(posts, "ssh_connections")).toEqual([1, 3]);
    expect(values(posts, "notebook_connections")).toEqual([1, 2]);
  });

  it("cores, network and disk are means by counters, of the machine", async () => {
    const machine = await machineWith(
      of({
        answer: `echo '${EXACTLY + 1000}.00 1' >"$S/proc/uptime"
[ "$n" != 1 ] || { cp "$S/stat" "$S/proc/stat"; cp "$S/dev2" "$S/proc/net/dev"; cp "$S/disks" "$S/proc/diskstats"; }`,
      }),
    );
    const disks = (sectors: number) =>
      ["loop0", "sda", "sda1", "nvme0n1", "nvme0n1p1", "dm-0"]
        .map((name, index) => `   8  ${index} ${name} 1 0 ${sectors} 1 1 0 ${sectors} 1 0 1 1\n`)
        .join("");
    await machine.write("proc/stat", "cpu 100 0 100 800 500 50 50 7 0 0\n");
    await machine.write("proc/net/dev", `${NET_HEADING}  eth0: 5000 1 0 0 0 0 0 0 5000 1 0 0 0 0 0 0\n`);
    await machine.write("proc/diskstats", disks(0));
    // Two hundred seconds of CPU, 100 MB and 2 × 2 × 100,000 sectors.
    await machine.write("stat", "cpu 10000 50 10000 8000 9000 100 150 9000 0 0\n");
    await machine.write("dev2", `${NET_HEADING}  eth0:40005000 1 0 0 0 0 0 0 60005000 1 0 0 0 0 0 0\n`);
    await machine.write("disks", disks(100_000));
    const posts = await machine.beats(2);
    expect(values(posts, "cpu_cores")[0]).toBe(0);
    const [, second] = posts;
    if (second === undefined) throw new Error("no second heartbeat");
    const seconds = second.atSeconds - (EXACTLY + 1000) + 1000 - ((posts[0]?.atSeconds ?? 0) - EXACTLY);
    expect(source(second, "cpu_cores")?.value).toBeCloseTo(199.9 / seconds, 1);
    expect(source(second, "network_kb_per_second")?.value).toBeCloseTo(100_000 / seconds, 1);
    expect(source(second, "disk_kb_per_second")?.value).toBeCloseTo((400_000 * 512) / 1000 / seconds, 1);
  });

  it("the owner's scripts say whether it is in use", async () => {
    const machine = await machineWith(of());
    const scripts = {
      "Slurm.sh": "echo '3 jobs | in the queue'; echo more",
      "quiet-one": "echo 'não há nada'; exit 1",
      failing: "exit 2",
      "odd.py": "printf 'a\\002b\\351 \\303\\n'",
      long: `printf '%0110d' 0; printf 'ééééé\\n'; exit 1`,
    };
    for (const [name, text] of Object.entries(scripts)) await machine.program(`../activity.d/${name}`, text);
    await machine.write("activity.d/README", "not a script");
    const { stdout } = await machine.agent(["once", "--dry-run"]);
    const reading = { body: JSON.parse(stdout) };
    expect(source(reading, "script_slurm")).toEqual({
      name: "script_slurm",
      value: 1,
      note: "3 jobs / in the queue",
    });
    expect(source(reading, "script_quiet_one")).toEqual({
      name: "script_quiet_one",
      value: 0,
      note: "não há nada",
    });
    expect(source(reading, "script_failing")).toEqual({
      name: "script_failing",
      value: null,
      note: "it ended with 2, neither 0 (in use) nor 1 (not in use)",
    });
    expect(source(reading, "script_odd")).toEqual({ name: "script_odd", value: 1, note: "ab " });
    expect(source(reading, "script_long")?.note).toBe(`${"0".repeat(110)}ééééé`);
    expect(
      reading.body.sources.filter(({ name }: { name: string }) => name.startsWith("script_")),
    ).toHaveLength(5);
    expect(await readdir(machine.path("run")).catch(() => [])).toEqual([]);
  });

  it("what a server has served and serves is work", async () => {
    const machine = await machineWith(
      of({
        environment: {
          DUMONT_WORK_URLS:
            "vllm=http://h:8000/metrics tgi=http://h:8080/metrics  triton=http://h:8002/metrics mine=http://h/m#jobs_done",
        },
        pages: `n=$(ls "$S/posts" | grep -c json)
case $url in
*:8000*) cat <<X
# HELP vllm:request_success_total Count of successfully processed requests.
# TYPE vllm:request_success_total counter
vllm:request_success_total{finished_reason="stop",model_name="a b}"} $((n * 5)).0
vllm:request_success_total{finished_reason="length",model_name="a b}"} 1e+01
vllm:num_requests_running{model_name="a b}"} $([ "$n" = 2 ] && echo 2 || echo 0).0
vllm:num_requests_running_max 77
X
;;
*:8080*) echo "tgi_request_count $n"; echo "tgi_request_success $n"; echo 'tgi_batch_current_size 0' ;;
*:8002*) echo 'nv_inference_request_success{model="m",version="1"} 7'; echo 'nv_inference_pending_request_count{model="m"} 1' ;;
*) echo '# TYPE jobs_done gauge'; echo "jobs_done $n" ;;
esac`,
      }),
    );
    const posts = await machine.beats(3);
    expect(values(posts, "work_vllm")).toEqual([0, 5, 7]);
    expect(values(posts, "work_tgi")).toEqual([0, 1, 1]);
    expect(values(posts, "work_triton")).toEqual([1, 1, 1]);
    expect(values(posts, "work_mine")).toEqual([0, 1, 2]);
  });

  it("two servers of one name are told, as neither's counter is the other's", async () => {
    const machine = await machineWith(
      of({
        environment: { DUMONT_WORK_URLS: "vllm=http://h:8000/metrics vllm=http://h:8001/metrics" },
        pages: `case $url in *:8000*) echo 'vllm:request_success_total 1000' ;; *) echo 'vllm:request_success_total 7' ;; esac`,
      }),
    );
    const [, second] = await machine.beats(2);
    expect(second && source(second, "work_vllm")).toEqual({
      name: "work_vllm",
      value: null,
      note: "DUMONT_WORK_URLS: two have the name vllm",
    });
  });
});

describe("what cannot be read is unknown, and a note says why", () => {
  it("connections and counters", async () => {
    const machine = await machineWith({
      answer: `rm -f "$S"/proc/net/* "$S/proc/diskstats"; [ "$n" != 1 ] || rm -f "$S/proc/stat"`,
    });
    const [, post] = await machine.beats(2);
    expect(post?.body.sources).toEqual(
      [
        "ssh_connections",
        "notebook_connections",
        "cpu_cores",
        "network_kb_per_second",
        "disk_kb_per_second",
      ].map((name) => ({ name, value: null, note: expect.stringContaining("cannot be read") })),
    );
  });

  it("a Jupyter that does not list its kernels, without its token", async () => {
    const machine = await machineWith({ pages: "exit 22" });
    const reading = await machine.reading({
      DUMONT_JUPYTER_URL: "http://me:secret@127.0.0.1:8888/lab?token=secret",
    });
    expect(source({ body: reading }, "busy_kernels")).toEqual({
      name: "busy_kernels",
      value: null,
      note: "127.0.0.1:8888 does not list its kernels",
    });
    expect(reading.activity).toMatchObject({ jupyter_unreachable: 1 });
  });

  it.each([
    ["vllm=http://me:secret@h:1/m?token=secret", "exit 7", "work_vllm", "h:1 gives no metrics"],
    ["vllm=http://h:1/m?token=secret", "echo other 1", "work_vllm", "h:1 has no vllm:request_success_total"],
    [
      "x=http://h/?token=secret#m",
      "head -c 2000000 /dev/zero | tr '\\0' '\\n'",
      "work_x",
      "h says more than 1 MiB",
    ],
    ["x=http://h/?token=secret", "", "work_x", "DUMONT_WORK_URLS: which metric? x=URL#metric_name"],
    ["x=http://h/?token=secret#m;rm", "", "work_x", "DUMONT_WORK_URLS: which metric? x=URL#metric_name"],
    ["x=file:///etc/passwd#m", "", "work_x", "DUMONT_WORK_URLS: neither an http:// nor an https:// address"],
    ["X?y=http://h/#m", "", "work_unnamed", expect.stringContaining("DUMONT_WORK_URLS wants name=URL")],
    ["*", "", "work_unnamed", expect.stringContaining("DUMONT_WORK_URLS wants name=URL")],
  ])("work by %s", async (urls, pages, name, note) => {
    const machine = await machineWith({ pages });
    const { stdout } = await machine.agent(["once", "--dry-run"], { DUMONT_WORK_URLS: urls });
    expect(source({ body: JSON.parse(stdout) }, name)).toEqual({ name, value: null, note });
    expect(stdout).not.toContain("secret");
  });

  it("work beyond the fourth address", async () => {
    const machine = await machineWith({ pages: "echo m 1" });
    const urls = ["a", "b", "c", "d", "e"].map((name) => `${name}=http://h/#m`).join(" ");
    const reading = await machine.reading({ DUMONT_WORK_URLS: urls });
    expect(source({ body: reading }, "work_d")?.value).toBe(0);
    expect(source({ body: reading }, "work_e")?.value).toBeNull();
  });

  it("scripts beyond the eighth", async () => {
    const machine = await machineWith();
    for (let number = 1; number <= 10; number++) await machine.program(`../activity.d/s${number}`, "exit 1");
    const sources = (await machine.reading()).sources?.filter(({ name }) => name.startsWith("script_"));
    expect(sources).toHaveLength(9);
    expect(sources?.at(-1)).toMatchObject({ name: "script_others", value: null });
  });
});

describe("a script", () => {
  it.each(["dash", "busybox sh"])(
    "that hangs is ended, is unknown, and is left alone for a while, under %s",
    async (shell) => {
      const machine = await machineWith({ shell });
      await machine.program("../activity.d/slow", `echo >>"$S/ran"; exec tail -f /dev/null`);
      await machine.program("../activity.d/well", "exit 1");
      // It would hang until this machine is given up.
      const posts = await machine.beats(2);
      expect(values(posts, "script_slow")).toEqual([null, null]);
      expect(source({ body: posts[0]?.body ?? {} } as Post, "script_slow")?.note).toContain(
        "longer than 5 s",
      );
      expect(values(posts, "script_well")).toEqual([0, 0]);
    },
  );

  it("that prints without end fills neither memory nor disk", async () => {
    const machine = await machineWith();
    await machine.program("../activity.d/loud", "yes | head -c 50000000; exit 1");
    expect(source({ body: await machine.reading() }, "script_loud")).toEqual({
      name: "script_loud",
      value: 0,
      note: "y",
    });
  });

  it("whose child outlives it has said what it has to say", async () => {
    const machine = await machineWith();
    await machine.program(
      "../activity.d/parent",
      "tail -f /dev/null & echo $! >$S/child; echo ready; exit 0",
    );
    // It keeps the output open until it is ended, and this machine would be given up before.
    const reading = await machine.reading();
    process.kill(Number(await readFile(machine.path("child"), "utf8")));
    expect(source({ body: reading }, "script_parent")).toEqual({
      name: "script_parent",
      value: 1,
      note: "ready",
    });
  });
});

describe("in a container", () => {
  async function cgroup(machine: AgentMachine, files: Record<string, string>) {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(machine.path(`cgroup/${name}`.replace(/\/[^/]*$/, "")), { recursive: true });
      await machine.write(`cgroup/${name}`, text);
    }
  }

  it.each([
    [
      "v2",
      {
        "cpu.stat": "usage_usec 1000000\nuser_usec 1\n",
        "io.stat": "8:0 rbytes=1000 wbytes=1000 rios=9 wios=9\n",
      },
      `printf 'usage_usec 61000000\\nuser_usec 1\\n' >"$S/cgroup/cpu.stat"
printf '8:0 rbytes=1000000 wbytes=2000 rios=9 wios=9\\n8:16 rbytes=1000000 wbytes=0 rios=1 wios=1 dbytes=0 dios=0\\n' >"$S/cgroup/io.stat"`,
    ],
    [
      "v1",
      {
        "cpuacct/cpuacct.usage": "1000000000\n",
        "blkio/blkio.throttle.io_service_bytes":
          "8:0 Read 1000\n8:0 Write 1000\n8:0 Sync 2000\n8:0 Total 2000\nTotal 2000\n",
      },
      `echo 61000000000 >"$S/cgroup/cpuacct/cpuacct.usage"
printf '8:0 Read 1000000\\n8:0 Write 2000\\n8:0 Sync 9\\n8:0 Total 1002000\\n8:16 Read 1000000\\nTotal 9\\n' >"$S/cgroup/blkio/blkio.throttle.io_service_bytes"`,
    ],
  ])("CPU and disk are its own, by cgroup %s", async (_, files, later) => {
    const machine = await machineWith({ answer: `[ "$n" != 1 ] || { ${later}; }` });
    await machine.write(".dockerenv", "");
    await cgroup(machine, files);
    // Of the machine around it.
    await machine.write("proc/diskstats", "8 0 sda 1 0 1 1 1 0 1 1 0 1 1\n");
    const posts = await machine.beats(2);
    const seconds = secondsBetween(posts);
    expect(values(posts, "cpu_cores")[0]).toBe(0);
    expect(values(posts, "cpu_cores")[1]).toBeCloseTo(60 / seconds, 1);
    expect(values(posts, "disk_kb_per_second")[1]).toBeCloseTo(2000 / seconds, 1);
  });

  it("that says nothing of its own disks, they are not reported", async () => {
    const machine = await machineWith();
    await machine.write("proc/mounts", "overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n");
    await machine.write("proc/diskstats", "8 0 sda 1 0 1 1 1 0 1 1 0 1 1\n");
    expect(source({ body: await machine.reading() }, "disk_kb_per_second")).toBeUndefined();
  });
});

describe("a counter", () => {
  it("that fell has begun again: what it shows is its growth", async () => {
    const machine = await machineWith({
      environment: { DUMONT_WORK_URLS: "x=http://h/#m" },
      pages: `case $(ls "$S/posts" | grep -c json) in 0) echo m 100 ;; 1) echo m 3 ;; *) echo m 4 ;; esac`,
      answer: `[ "$n" != 1 ] || echo 'cpu 30000 0 0 0 0 0 0 0 0 0' >"$S/proc/stat"`,
    });
    await machine.write("proc/stat", "cpu 900000 0 0 0 0 0 0 0 0 0\n");
    const posts = await machine.beats(3);
    expect(values(posts, "work_x")).toEqual([0, 3, 1]);
    expect(values(posts, "cpu_cores")[1]).toBeCloseTo(300 / secondsBetween(posts), 1);
  });

  it("that was not read twice is left out, and so is not taken for broken", async () => {
    const machine = await machineWith({
      environment: { DUMONT_WORK_URLS: "x=http://h/#m" },
      pages: `case $url,$(ls "$S/posts" | grep -c json) in *h/,0) [ -e "$S/asked" ] || { touch "$S/asked"; exit 7; }; echo m 100 ;; *) echo m 101 ;; esac`,
    });
    expect(values(await machine.beats(2), "work_x")).toEqual([undefined, 1]);
  });

  it("of a server that has begun again and has served nothing stands at nothing", async () => {
    const machine = await machineWith({
      environment: { DUMONT_WORK_URLS: "tgi=http://h/" },
      pages: `case $(ls "$S/posts" | grep -c json) in 0) echo tgi_request_count 5 ;; *) echo other 1 ;; esac`,
    });
    expect(values(await machine.beats(2), "work_tgi")).toEqual([0, 0]);
  });
});

it("an outage hides nothing: the highest value, work that adds up, and what was unknown for a while", async () => {
  const machine = await machineWith({
    environment: { DUMONT_WORK_URLS: "x=http://h/#m" },
    pages: `echo "m $(ls "$S/posts" | grep -c json)"`,
    answer: `case $n in 2 | 3 | 4) status=503 ;; esac
rm -f "$S/proc/net/tcp"; case $n in 2) cp "$S/tcp" "$S/proc/net/tcp" ;; *) : >"$S/proc/net/tcp" ;; esac`,
  });
  await machine.write("tcp", TCP_HEADING + connection(22, "01"));
  await machine.program(
    "../activity.d/job",
    `case $(ls "$S/posts" | grep -c json) in 2) exit 0 ;; 3) exit 5 ;; *) exit 1 ;; esac`,
  );
  await machine.program(
    "../activity.d/other",
    `case $(ls "$S/posts" | grep -c json) in 2) echo then; exit 0 ;; *) echo now; exit 1 ;; esac`,
  );
  const posts = await machine.beats(6);
  expect(values(posts, "ssh_connections")).toEqual([0, 0, 1, 1, 1, 0]);
  expect(values(posts, "work_x")).toEqual([0, 1, 2, 3, 4, 1]);
  expect(values(posts, "script_job")).toEqual([0, 0, 1, null, null, 0]);
  expect(posts.map((post) => source(post, "script_other")?.note)).toEqual([
    "now",
    "now",
    "then",
    "then",
    "then",
    "now",
  ]);
});
