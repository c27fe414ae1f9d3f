import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { listInstances, registerInstance, request, sendHeartbeat, type User } from "../../scripts/client.ts";
import { ControlPlane } from "../../scripts/control-plane.ts";
import { FakeSlack } from "../outside/slack.ts";
import { ServerWorld } from "./world.ts";

/** All that is kept of a user, out of one real server and into another one, which has the same keys. */

const ROOT = resolve(import.meta.dirname, "../..");
const VARS = { ALLOW_LOOPBACK_URLS: "true" };

let plane: ControlPlane;
let slack: FakeSlack;
let origin: ServerWorld;
let target: ServerWorld;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "dumont-export-"));
  [plane, slack] = await Promise.all([ControlPlane.start(), FakeSlack.start()]);
  origin = await ServerWorld.create(VARS);
  target = await ServerWorld.create(VARS, undefined, origin);
});
afterAll(async () => {
  await Promise.all([origin.end(), target.end()]);
  await Promise.all([plane.stop(), slack.stop(), rm(directory, { recursive: true })]);
});

/** Runs a script as the operator. */
function run(
  script: string,
  world: ServerWorld,
  ...options: string[]
): Promise<{ code: number; said: string }> {
  return new Promise((done) => {
    void world.adminToken().then((token) => {
      execFile(
        process.execPath,
        [join(ROOT, "scripts", `${script}.ts`), "--url", world.url, ...options],
        { env: { ...process.env, ADMIN_TOKEN: token } },
        (error, _, said) => done({ code: error === null ? 0 : 1, said }),
      );
    });
  });
}

const historySchema = z.object({ heartbeats: z.array(z.object({ gpu_utilization: z.number().nullable() })) });

async function historyOf(world: ServerWorld, user: User, instanceId: string): Promise<(number | null)[]> {
  const url = `${world.url}/api/agent/instances/${instanceId}/heartbeats?limit=100`;
  const { heartbeats } = historySchema.parse(await request(url, "GET", user.token));
  return heartbeats.map((each) => each.gpu_utilization);
}

async function eventsOf(world: ServerWorld, user: User, instanceId: string): Promise<string[]> {
  const url = `${world.url}/api/agent/instances/${instanceId}/events?limit=100`;
  const answer = z
    .object({ events: z.array(z.object({ id: z.string(), kind: z.string() })) })
    .parse(await request(url, "GET", user.token));
  return answer.events.map(({ id, kind }) => `${id} ${kind}`);
}

async function statusOf(world: ServerWorld, user: User): Promise<Record<string, string>> {
  const instances = await listInstances(world.url, user.token);
  return Object.fromEntries(instances.map(({ instance_id, status }) => [instance_id, status]));
}

const TAGS = { team: "vision", note: "<b>'é\"" };

/** An owner with a channel, a policy, an instance that works and one that is hibernated. */
async function owner(): Promise<{ user: User; token: string; channelId: string }> {
  const user = await origin.newOwner(plane);
  const channel = z.object({ id: z.string() }).parse(
    await request(`${origin.url}/api/agent/channels`, "POST", user.token, {
      name: "#gpus",
      minimum_severity: "info",
      settings: { kind: "slack", url: slack.url },
    }),
  );
  await request(`${origin.url}/api/agent/policy`, "PUT", user.token, { idle: { threshold_percent: 7 } });
  const costs = { hourly_cost: 0.4, hibernated_hourly_cost: 0.01 };
  const token = await registerInstance(origin.url, user.token, {
    instance_id: "worker",
    name: "Worker",
    ...costs,
    tags: TAGS,
    policy: { idle: { warn_after_seconds: 90 } },
  });
  for (let gpu = 60; gpu < 65; gpu++) {
    await sendHeartbeat(origin.url, token, { instance_id: "worker", gpu_utilization: gpu });
  }
  const sleeper = await registerInstance(origin.url, user.token, {
    instance_id: "sleeper",
    name: "Sleeper",
    ...costs,
    provider: "webhook",
  });
  await sendHeartbeat(origin.url, sleeper, { instance_id: "sleeper", gpu_utilization: 50 });
  await request(`${origin.url}/api/agent/instances/sleeper/hibernate`, "POST", user.token);
  await expect
    .poll(() => statusOf(origin, user), { timeout: 240_000 })
    .toEqual({ worker: "running", sleeper: "hibernated" });
  return { user, token, channelId: channel.id };
}

describe("an export", () => {
  it("comes back in an empty service with the same keys, once, and goes on where it stood", async () => {
    const { user, token, channelId } = await owner();
    const told = { language: "pt-BR", time_zone: "America/Sao_Paulo" };
    await request(`${origin.url}/api/agent/account`, "PATCH", user.token, told);
    const viewer = z
      .object({ token: z.string() })
      .parse(
        await request(`${origin.url}/api/agent/tokens`, "POST", user.token, { name: "tv", role: "viewer" }),
      );
    const file = join(directory, "user.jsonl");
    const exported = await run("export", origin, "--user", user.id, "--out", file);
    expect(exported).toMatchObject({ code: 0, said: expect.stringMatching(/^\d+ lines/) });
    const text = await readFile(file, "utf8");
    // Nothing secret can be read in it.
    for (const secret of [plane.secret, user.token, viewer.token, token, slack.url])
      expect(text).not.toContain(secret);
    const history = await historyOf(origin, user, "worker");
    expect(history).toEqual([64, 63, 62, 61, 60]);
    const events = await eventsOf(origin, user, "worker");

    const imported = await run("import", target, "--in", file);
    expect(imported.said).toMatch(/^\d+ lines taken, 1 were here already, 0 not taken/);
    expect(imported.code).toBe(0);

    expect(await request(`${target.url}/api/agent/instances/worker`, "GET", user.token)).toMatchObject({
      tags: TAGS,
    });
    expect(await request(`${target.url}/api/agent/whoami`, "GET", viewer.token)).toMatchObject({
      role: "viewer",
      ...told,
    });
    // Nobody was heard here yet.
    expect(await statusOf(target, user)).toEqual({ worker: "pending", sleeper: "hibernated" });
    expect(await historyOf(target, user, "worker")).toEqual(history);
    expect((await eventsOf(target, user, "worker")).slice(-events.length)).toEqual(events);
    expect(await request(`${target.url}/api/agent/policy`, "GET", user.token)).toMatchObject({
      overrides: { idle: { threshold_percent: 7 } },
    });

    // Its own token, its own channel, its provider.
    const answer = await sendHeartbeat(target.url, token, { instance_id: "worker", gpu_utilization: 65 });
    expect(answer.next_heartbeat_in_seconds).toBe(60);
    expect(await statusOf(target, user)).toEqual({ worker: "running", sleeper: "hibernated" });
    expect(await historyOf(target, user, "worker")).toEqual([65, ...history]);
    const tested = await request(`${target.url}/api/agent/channels/${channelId}/test`, "POST", user.token);
    expect(tested).toMatchObject({ delivered: true });
    await request(`${target.url}/api/agent/instances/sleeper/wake`, "POST", user.token);
    await expect.poll(() => plane.ordersFor("sleeper"), { timeout: 240_000 }).toEqual(["hibernate", "wake"]);

    // A second time nothing changes.
    const before = await eventsOf(target, user, "worker");
    const again = await run("import", target, "--in", file);
    expect(again.said).toMatch(/^0 lines taken, \d+ were here already, 0 not taken/);
    expect(await eventsOf(target, user, "worker")).toEqual(before);
    expect(await historyOf(target, user, "worker")).toEqual([65, ...history]);
  });

  it("comes in under another user id, whose channels are sealed for it", async () => {
    const { user, token } = await owner();
    const file = join(directory, "other.jsonl");
    await run("export", origin, "--user", user.id, "--out", file);
    const imported = await run("import", target, "--in", file, "--user", "u-another");
    expect(imported).toMatchObject({ code: 0, said: expect.stringContaining("another user id") });
    const issued = z
      .object({ token: z.string() })
      .parse(
        await request(`${target.url}/api/admin/users/u-another/tokens`, "POST", await target.adminToken()),
      );
    const another = { id: "u-another", token: issued.token };
    expect(await statusOf(target, another)).toEqual({ worker: "pending", sleeper: "hibernated" });
    const { channels } = z
      .object({ channels: z.array(z.object({ id: z.string() })) })
      .parse(await request(`${target.url}/api/agent/channels`, "GET", another.token));
    const path = `${target.url}/api/agent/channels/${channels[0]?.id}/test`;
    expect(await request(path, "POST", another.token)).toMatchObject({ delivered: true });
    // The tokens of its instances name the former user.
    await expect(sendHeartbeat(target.url, token, { instance_id: "worker" })).rejects.toThrow(/40[14]/);
  });

  it("can leave out what is sealed", async () => {
    const { user } = await owner();
    const file = join(directory, "open.jsonl");
    await run("export", origin, "--user", user.id, "--out", file, "--without-secrets");
    const types = (await readFile(file, "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).type);
    expect(types).not.toContain("channel");
    expect(types).not.toContain("credentials");
    expect(types.slice(0, 2)).toEqual(["export", "user"]);
    expect(types.at(-1)).toBe("end");
  });

  it("of nobody fails, and leaves no file", async () => {
    const file = join(directory, "nobody.jsonl");
    expect((await run("export", origin, "--user", "u-nobody", "--out", file)).code).toBe(1);
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });
});

describe("a file that is not as it should be", () => {
  const HEAD = { type: "export", version: 1, user_id: "u-broken", exported_at: 1, note: "" };
  const USER = { type: "user", name: "Ada", created_at: 1 };

  async function importOf(...lines: unknown[]): Promise<string> {
    const file = join(directory, "broken.jsonl");
    await writeFile(
      file,
      lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
    );
    const { code, said } = await run("import", target, "--in", file);
    expect(code).toBe(1);
    return said;
  }

  it("is refused by the number of its line, before anything is sent", async () => {
    const end = { type: "end", lines: 3 };
    expect(await importOf(HEAD, USER, "{", end)).toMatch(/^line 3: /);
    expect(await importOf(HEAD, USER, { type: "hour", instance_id: "x" }, end)).toMatch(/^line 3: hour: /);
    expect(await importOf(HEAD, USER, { type: "ballad" }, end)).toMatch(/^line 3: type: /);
    expect(await importOf({ ...HEAD, version: 2 }, end)).toMatch(/^line 1: version: /);
    expect(await importOf(USER, { type: "end", lines: 1 })).toMatch(/^line 1: this is no export/);
    expect(await importOf(HEAD, USER)).toContain("the file is cut off");
    expect(await importOf(HEAD, USER, { type: "end", lines: 7 })).toContain(
      "7 lines were written, and 2 are there",
    );
    const users = await request(`${target.url}/api/admin/users?limit=1000`, "GET", await target.adminToken());
    expect(JSON.stringify(users)).not.toContain("u-broken");
  });

  it("brings nothing after a policy that this version can't read as a whole", async () => {
    const fleet = { type: "fleet", policy: { novelty: 1 }, policy_version: 1, hibernations: {} };
    const event = {
      type: "event",
      instance_id: "",
      at: 1,
      kind: "x",
      severity: "info",
      message: "",
      detail: "{}",
    };
    const events = Array.from({ length: 120 }, (_, index) => ({ ...event, id: `e-${index}` }));
    const head = { ...HEAD, user_id: "u-newer" };
    const said = await importOf(head, USER, fleet, ...events, { type: "end", lines: 123 });
    expect(said).toContain("line 3: not taken: this version of the service cannot read policy");
    expect(said).toContain("no instance is");
    expect(said).not.toContain("lines taken");
  });
});
