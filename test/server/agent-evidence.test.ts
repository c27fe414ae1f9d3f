import { mkdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { NVIDIA_SMI, nvidiaSmi } from "../outside/nvidia-smi.ts";
import { machineWith, type Post } from "./agent-machine.ts";

/** What programs and kernels really print, on a machine that is made up. */

const values = (posts: readonly Pick<Post, "body">[], name: string) =>
  posts.map(({ body }) => body.sources?.find((each) => each.name === name)?.value);

const SHELLS = [
  ["dash", "mawk"],
  ["busybox sh", "busybox awk"],
] as const;

describe.each(SHELLS)("under %s, with %s", (shell, awk) => {
  it.each(NVIDIA_SMI)("nvidia-smi is understood: $name", async (card) => {
    const machine = await machineWith({
      shell,
      programs: { awk: `exec ${awk} "$@"`, "nvidia-smi": nvidiaSmi(card) },
    });
    const [, second] = await machine.beats(2);
    const { highest, gpus } = card.expected;
    expect(second?.body).toMatchObject({ gpu_utilization_max: highest, gpus });
  });

  it.each([
    ["nobody", [], [3], 3],
    ["somebody, as root by a terminal and by an editor", ["sshd: root@pts/0", "sshd: root@notty"], [0], 2],
    ["somebody, by a tunnel alone", ["sshd: ada"], [0], 1],
    [
      "somebody with OpenSSH 9.8, and strangers",
      ["sshd-session: ada@pts/0", "sshd-session: root [net]"],
      [2],
      1,
    ],
    ["strangers alone", ["sshd: [accepted]", "sshd: root [net]", "sshd: ada [priv]"], [3], 0],
    // They may all be at the second sshd, whose port does not count.
    ["somebody, and strangers at another sshd", ["sshd: ada@pts/0"], [0, 3], 1],
  ] as const)(
    "of connections to SSH those count on which somebody has signed in: %s",
    async (who, titles, startups, count) => {
      const machine = await machineWith({ shell, programs: { awk: `exec ${awk} "$@"` } });
      const listeners =
        who === "nobody"
          ? // Another server, which has no such titles.
            ["/usr/sbin/dropbear -F"]
          : startups.map((of) => `sshd: /usr/sbin/sshd -D [listener] ${of} of 10-100 startups`);
      const processes = [...listeners, ...titles];
      for (const [index, title] of processes.entries()) {
        await mkdir(machine.path(`proc/${100 + index}`));
        await machine.write(`proc/${100 + index}/cmdline`, `${title}\0\0\0`);
      }
      const strangers = who === "nobody" ? 3 : (startups[0] ?? 0);
      const people = titles.filter((title) => !title.includes("[")).length;
      const connection =
        "   1: 0100007F:0016 0200007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1 1\n";
      await machine.write("proc/net/tcp", `heading\n${connection.repeat(strangers + people)}`);
      expect(values([{ body: await machine.reading() }], "ssh_connections")).toEqual([count]);
    },
  );
});

it("a counter of microseconds that stands still is none that has begun again", async () => {
  const machine = await machineWith();
  await mkdir(machine.path("cgroup"), { recursive: true });
  // To the millisecond it is rounded up.
  await machine.write("cgroup/cpu.stat", "usage_usec 2667658\n");
  expect(values(await machine.beats(3), "cpu_cores")).toEqual([0, 0, 0]);
});

it("a cgroup v1 that counts no disk leaves that to the machine's disks, and in a container to nobody", async () => {
  const machine = await machineWith({
    answer: `echo '8 0 sda 1 0 400000 1 1 0 1 1 0 1 1' >"$S/proc/diskstats"`,
  });
  await mkdir(machine.path("cgroup/blkio"), { recursive: true });
  // As Linux 6.18 has it where there is no limit.
  await machine.write("cgroup/blkio/blkio.throttle.io_service_bytes_recursive", "Total 0\n");
  await machine.write("cgroup/blkio/blkio.throttle.io_service_bytes", "Total 0\n");
  await machine.write("proc/diskstats", "8 0 sda 1 0 1 1 1 0 1 1 0 1 1\n");
  const [, second] = values(await machine.beats(2), "disk_kb_per_second");
  expect(second).toBeGreaterThan(1000);
  await machine.write(".dockerenv", "");
  expect(values([{ body: await machine.reading() }], "disk_kb_per_second")).toEqual([undefined]);
});

it.each([
  ["http://h:8888/?token=secret", "http://h:8888/api/kernels?token=secret"],
  ["http://h:8888?token=secret", "http://h:8888/api/kernels?token=secret"],
  ["http://h:8888/user/ada/", "http://h:8888/user/ada/api/kernels"],
  ["http://h:8888", "http://h:8888/api/kernels"],
])("Jupyter at %s is asked for its kernels", async (url, asked) => {
  const machine = await machineWith({
    environment: { DUMONT_JUPYTER_URL: url },
    programs: {
      curl: `for each in "$@"; do last=$each; done
[ "$last" = '${asked}' ] && echo '[{"id":"1","execution_state": "busy"}]'`,
    },
  });
  expect(values([{ body: await machine.reading() }], "busy_kernels")).toEqual([1]);
});
