import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { registerInstance, sendHeartbeat, type User } from "../../scripts/client.ts";
import { freePort } from "../../scripts/server.ts";
import { FakeHttp } from "../outside/http.ts";
import { ServerWorld } from "../server/world.ts";

/** The metrics before a real Prometheus and a real Alertmanager, of Debian's packages. */

const run = promisify(execFile);
const MONITORING = resolve(import.meta.dirname, "../../monitoring");

/** An hour of the policy passes in a minute. */
const SPEED = 60;

let world: ServerWorld;
let user: User;
let directory: string;
const end = new AbortController();
let beating: Promise<void>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dumont-monitoring-"));
  world = await ServerWorld.create({ SIMULATION_SPEED: String(SPEED) });
  user = await world.newUser("Ada");
  const register = (id: string, name: string, policy: unknown = {}) =>
    registerInstance(world.url, user.token, {
      instance_id: id,
      name,
      hourly_cost: 1,
      hibernated_hourly_cost: 0,
      policy,
    });
  const busy = await register("rig-busy", "Busy");
  const costly = await register("rig-costly", 'The "costly" one', { idle: { enabled: false } });
  const lost = await register("rig-lost", "Lost");
  await sendHeartbeat(world.url, lost, { instance_id: "rig-lost", gpu_utilization: 70, cost_accumulated: 3 });
  beating = (async () => {
    while (!end.signal.aborted) {
      await Promise.all([
        sendHeartbeat(world.url, busy, {
          instance_id: "rig-busy",
          gpu_utilization: 90,
          cost_accumulated: 20,
        }),
        sendHeartbeat(world.url, costly, {
          instance_id: "rig-costly",
          gpu_utilization: 4,
          cost_accumulated: 12,
        }),
      ]).catch(() => undefined);
      await sleep(60_000 / SPEED);
    }
  })();
});
afterAll(async () => {
  end.abort();
  await beating;
  await world.end();
  await rm(directory, { recursive: true, force: true });
});

/** Starts a program and gives back how to end it; it ends with the test in any case. */
function start(program: string, parameters: readonly string[]): () => Promise<void> {
  const child: ChildProcess = spawn(program, parameters, { stdio: "ignore" });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  return async () => {
    child.kill("SIGKILL");
    await ended;
  };
}

describe("the rules", () => {
  it("are valid, and each of them fires when it must and not before", async () => {
    const rules = ["alerts.yml", "recording.yml"].map((file) => join(MONITORING, file));
    await run("promtool", ["check", "rules", "--lint=all", "--lint-fatal", ...rules]);
    await run("promtool", ["test", "rules", join(MONITORING, "tests/alerts.test.yml")]);
    await run("promtool", ["check", "config", "--syntax-only", join(MONITORING, "prometheus.yml")]);
    await run("amtool", ["check-config", join(MONITORING, "alertmanager.yml")]);
    const [alerts, tests] = await Promise.all([
      readFile(join(MONITORING, "alerts.yml"), "utf8"),
      readFile(join(MONITORING, "tests/alerts.test.yml"), "utf8"),
    ]);
    for (const [, name] of alerts.matchAll(/- alert: (\w+)/g)) {
      expect(tests, `${name} is seen to fire`).toMatch(new RegExp(`alertname: ${name}\\n +exp_alerts:\\n`));
    }
  });
});

describe("the metrics", () => {
  it.each(["user", "admin"])("for the %s's token pass promtool's check without a word", async (scope) => {
    const token = scope === "user" ? user.token : await world.adminToken();
    const response = await fetch(`${world.url}/metrics`, { headers: { Authorization: `Bearer ${token}` } });
    const file = join(directory, `${scope}.prom`);
    await writeFile(file, await response.text());
    const { stdout, stderr } = await run("bash", ["-c", `promtool check metrics < ${file}`]);
    expect(stdout + stderr).toBe("");
  });
});

describe("a real Prometheus", () => {
  it("answers the specification's queries right, and fires its alerts, unmodified, to a real Alertmanager", async () => {
    const receiver = await FakeHttp.start(() => ({ status: 200, body: "" }));
    const [prometheusPort, alertmanagerPort] = await Promise.all([freePort(), freePort()]);
    const target = world.url.replace("http://", "");
    const file = (name: string, text: string) => writeFile(join(directory, name), text);
    await file("user-token", user.token);
    await file(
      "prometheus.yml",
      `global: { scrape_interval: 2s, evaluation_interval: 10s }
rule_files: ["${MONITORING}/recording.yml", "${MONITORING}/alerts.yml"]
alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:${alertmanagerPort}"] }] }] }
scrape_configs:
  - job_name: dumont-agents
    authorization: { credentials_file: "${directory}/user-token" }
    static_configs: [{ targets: ["${target}"] }]
`,
    );
    await file(
      "alertmanager.yml",
      `route: { receiver: test, group_by: [alertname], group_wait: 0s, group_interval: 1s }
receivers: [{ name: test, webhook_configs: [{ url: "${receiver.url}/alerts" }] }]
`,
    );
    // An hour's wait is not for a test: the two alerts have been pending for two hours when this Prometheus was
    // last up. It keeps that in the series ALERTS_FOR_STATE, and goes on from there at its second evaluation, which
    // must come after the first scrape (five seconds after the start).
    const now = Math.floor(Date.now() / 1000);
    const pending = (alertname: string, id: string, name: string, severity: string) =>
      Array.from(
        { length: 60 },
        (_, minute) =>
          `ALERTS_FOR_STATE{alertname="${alertname}",instance="${target}",instance_id="${id}",job="dumont-agents",name="${name}",severity="${severity}"} ${now - 7200} ${now - 3700 + minute * 60}`,
      );
    await file(
      "pending.om",
      `# TYPE ALERTS_FOR_STATE gauge
${[
  ...pending("OrphanedInstance", "rig-lost", "Lost", "warning"),
  ...pending("HighCostIdleInstance", "rig-costly", 'The \\"costly\\" one', "critical"),
].join("\n")}
# EOF
`,
    );
    const data = join(directory, "data");
    await run("promtool", ["tsdb", "create-blocks-from", "openmetrics", join(directory, "pending.om"), data]);

    const scraped = async () =>
      (await fetch(`${world.url}/metrics`, { headers: { Authorization: `Bearer ${user.token}` } })).text();
    await expect
      .poll(scraped, { timeout: 60_000, interval: 1000 })
      .toContain('dumont_agents_orphaned{instance_id="rig-lost",name="Lost"} 1');

    const stopAlertmanager = start("prometheus-alertmanager", [
      `--config.file=${directory}/alertmanager.yml`,
      `--storage.path=${directory}/alertmanager`,
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
      "--cluster.listen-address=",
    ]);
    const stopPrometheus = start("prometheus", [
      `--config.file=${directory}/prometheus.yml`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
      "--rules.alert.for-grace-period=0s",
    ]);
    try {
      const query = async (expression: string) => {
        const url = `http://127.0.0.1:${prometheusPort}/api/v1/query?query=${encodeURIComponent(expression)}`;
        const answer = z
          .object({
            data: z.object({
              result: z.array(
                z.object({
                  metric: z.record(z.string(), z.string()),
                  value: z.tuple([z.number(), z.string()]),
                }),
              ),
            }),
          })
          .parse(await (await fetch(url)).json());
        return answer.data.result.map(({ metric, value }) => [metric.instance_id ?? "", Number(value[1])]);
      };
      const fired = () =>
        receiver.calls.flatMap(({ body }) =>
          z
            .object({
              alerts: z.array(
                z.object({
                  labels: z.record(z.string(), z.string()),
                  annotations: z.record(z.string(), z.string()),
                }),
              ),
            })
            .parse(JSON.parse(body))
            .alerts.map(({ labels, annotations }) => [
              labels.alertname,
              labels.instance_id,
              annotations.summary,
            ]),
        );
      await expect
        .poll(() => fired(), { timeout: 60_000, interval: 1000 })
        .toEqual(
          expect.arrayContaining([
            ["OrphanedInstance", "rig-lost", "Instance rig-lost is orphaned"],
            ["HighCostIdleInstance", "rig-costly", "Instance wasting money"],
          ]),
        );
      const wrong = fired().filter(([, id]) => id === "rig-busy");
      expect(wrong).toEqual([]);

      // A scrape that takes longer than the two seconds between them makes all of it stale until the next.
      const shows = (expression: string) => expect.poll(() => query(expression), { interval: 1000 });
      await shows("dumont_agents_active").toEqual([["", 2]]);
      await shows("dumont_agents_orphaned > 0").toEqual([["rig-lost", 1]]);
      const lossOf = async () =>
        Object.fromEntries(await query("rate(dumont_agents_heartbeat_missed_total[5m])"));
      await expect
        .poll(async () => Object.keys(await lossOf()).sort(), { interval: 1000 })
        .toEqual(["rig-busy", "rig-costly", "rig-lost"]);
      // The service gives the same text for 15 seconds, so a rate shows only after a second text was scraped.
      await expect
        .poll(
          async () => {
            const loss = await lossOf();
            return Number(loss["rig-lost"]) > 10 * Number(loss["rig-busy"]);
          },
          { timeout: 60_000, interval: 1000 },
        )
        .toBe(true);
      await shows("avg(dumont_agents_gpu_utilization_percent)").toEqual([["", 47]]);
      await shows("dumont_agents_cost_accumulated > 10 AND dumont_agents_gpu_utilization < 10").toEqual([
        ["rig-costly", 12],
      ]);
    } finally {
      await Promise.all([stopPrometheus(), stopAlertmanager()]);
      await receiver.stop();
    }
  });
});
