import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keepAlive, registerInstance, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ServerWorld } from "../server/world.ts";

/** The commands of the product's specification, run as they are written there; only host and tokens are filled in. */

const run = promisify(execFile);

/** An hour of the policy passes in a minute. */
const SPEED = 60;

let world: ServerWorld;
let user: User;
let instanceToken: string;

beforeAll(async () => {
  world = await ServerWorld.create({ SIMULATION_SPEED: String(SPEED) });
  user = await world.newUser("Ada");
  instanceToken = await register("28864630", "ML Training Rig");
});
afterAll(() => world.end());

function register(instanceId: string, name: string): Promise<string> {
  return registerInstance(world.url, user.token, {
    instance_id: instanceId,
    name,
    hourly_cost: 0.4,
    hibernated_hourly_cost: 0.01,
  });
}

function filledIn(text: string): string {
  return text
    .replaceAll("https://dumontcloud.com", world.url)
    .replaceAll("INSTANCE_TOKEN", instanceToken)
    .replaceAll("USER_TOKEN", user.token)
    .replaceAll("Bearer TOKEN", `Bearer ${user.token}`);
}

async function bash(text: string): Promise<string> {
  return (await run("bash", ["-euc", filledIn(text)])).stdout;
}

const post = `curl -X POST https://dumontcloud.com/api/agent/status \\
  -H "Authorization: Bearer INSTANCE_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{
    "instance_id": "28864630",
    "gpu_utilization": 87,
    "vram_used_gb": 18.4,
    "cpu_utilization": 45,
    "ram_used_gb": 12.0,
    "disk_used_gb": 45.2,
    "cost_accumulated": 2.40,
    "status": "running",
    "uptime_seconds": 7200
  }'`;

const list = `curl https://dumontcloud.com/api/agent/instances \\
  -H "Authorization: Bearer USER_TOKEN"`;

describe("the specification's curl commands", () => {
  it("send a heartbeat", async () => {
    expect(JSON.parse(await bash(post))).toEqual({
      success: true,
      message: "Heartbeat received",
      // One interval of 60 s, at the speed of this server.
      next_heartbeat_in_seconds: 60 / SPEED,
      actions: [],
    });
  });

  it("list the instances, and see one in full", async () => {
    // What its two hours have cost, as far as they are of today, in UTC.
    const secondsOfToday = Math.min(7200, (Date.now() % 86_400_000) / 1000);
    await bash(post);
    expect(JSON.parse(await bash(list))).toMatchObject({
      instances: [
        {
          instance_id: "28864630",
          name: "ML Training Rig",
          status: "running",
          last_heartbeat: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          seconds_since_heartbeat: expect.any(Number),
          health: "healthy",
          gpu_utilization: 87,
          cost_today: expect.closeTo((2.4 * secondsOfToday) / 7200, 1),
        },
      ],
    });
    const one = await bash(`curl https://dumontcloud.com/api/agent/instances/28864630 \\
  -H "Authorization: Bearer USER_TOKEN"`);
    expect(JSON.parse(one)).toMatchObject({
      instance_id: "28864630",
      total_heartbeats: 2,
      uptime_percent: expect.any(Number),
      missed_heartbeats: expect.any(Number),
      avg_gpu_utilization: 87,
      recent_heartbeats: [
        { gpu_utilization: 87, vram_used_gb: 18.4, status: "running" },
        { gpu_utilization: 87, vram_used_gb: 18.4, status: "running" },
      ],
    });
  });

  it("keep an instance alive", async () => {
    const answer = await bash(`curl -X POST https://dumontcloud.com/api/agent/instances/28864630/keep-alive \\
  -H "Authorization: Bearer USER_TOKEN"`);
    expect(JSON.parse(answer)).toEqual({
      success: true,
      message: "Manual keep-alive registered",
      valid_for_minutes: 60,
      // Beyond the specification.
      keep_alive_until: expect.stringMatching(/Z$/),
    });
  });

  it("test the connection without a token", async () => {
    expect(JSON.parse(await bash("curl https://dumontcloud.com/api/agent/status"))).toMatchObject({
      success: true,
    });
  });

  it("find an instance whose agent was stopped, six minutes later", async () => {
    const token = await register("98765432", "Render Farm");
    await sendHeartbeat(world.url, token, { instance_id: "98765432", status: "running" });
    await keepAlive(world.url, user.token, "28864630");
    await bash(`sleep ${(6 * 60) / SPEED}`);
    // Its alarm is due a real second before, and may be late.
    const find = () =>
      bash(`curl https://dumontcloud.com/api/agent/instances -H "Authorization: Bearer USER_TOKEN" | \\
  jq '.instances[] | select(.health == "unhealthy")'`);
    await expect.poll(find, { interval: 500 }).toContain('"orphaned"');
    expect(JSON.parse(await find())).toMatchObject({
      instance_id: "98765432",
      status: "orphaned",
      alert: expect.stringMatching(/^No heartbeat for .* May be stuck\.$/),
    });
  });
});

describe("the specification's Python", () => {
  /** Lets the time of the text pass at the server's speed, and adds the token that its second example leaves out. */
  const python = (text: string, token: string) =>
    run("/usr/bin/python3", [
      "-c",
      `import time, requests
_sleep, _post = time.sleep, requests.post
time.sleep = lambda seconds: _sleep(seconds / ${SPEED})
def _authorized(url, headers={"Authorization": "Bearer ${token}"}, **rest):
    return _post(url, headers=headers, **rest)
requests.post = _authorized
${filledIn(text)}`,
    ]);

  it("beats every minute", async () => {
    instanceToken = await register("python", "Python agent");
    const loop = python(
      `# Dentro da instância (agente local)
import requests
import time

while True:
    try:
        requests.post(
            "https://dumontcloud.com/api/agent/status",
            json={
                "instance_id": "python",
                "gpu_utilization": 87,
                "vram_used_gb": 18.4,
                "cost_accumulated": 2.40,
                "status": "running"
            },
            headers={"Authorization": "Bearer INSTANCE_TOKEN"}
        )
    except:
        pass
    
    time.sleep(60)
`,
      instanceToken,
    );
    const ended = loop.catch(() => undefined);
    const seen = async () =>
      JSON.parse(
        await bash(
          'curl https://dumontcloud.com/api/agent/instances/python -H "Authorization: Bearer USER_TOKEN"',
        ),
      ).total_heartbeats;
    await expect.poll(seen, { interval: 500 }).toBeGreaterThanOrEqual(4);
    loop.child.kill("SIGKILL");
    await ended;
  });

  it("with an idle GPU is hibernated by itself after five minutes", async () => {
    const token = await register("test-instance", "Test");
    await python(
      `import requests, time
# Enviar heartbeat com GPU ociosa
for i in range(6):  # 6 minutos
    requests.post(
        "https://dumontcloud.com/api/agent/status",
        json={
            "instance_id": "test-instance",
            "gpu_utilization": 2,  # <5%
            "status": "running"
        }
    )
    time.sleep(60)

# Deve hibernar automaticamente após 5 min
`,
      token,
    );
    const status = async () =>
      JSON.parse(
        await bash(
          'curl https://dumontcloud.com/api/agent/instances/test-instance -H "Authorization: Bearer USER_TOKEN"',
        ),
      ).status;
    await expect.poll(status, { interval: 250 }).toBe("hibernated");
  });
});
