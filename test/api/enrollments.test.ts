import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ENROLLMENTS_PER_USER } from "../../src/accounts/enrollments.ts";
import { InstanceActor } from "../../src/instance/actor.ts";
import { connectionOf } from "../../src/lifecycle/model/provider.ts";
import { credentialsSetAt } from "../../src/providers/connections.ts";
import { type Provider, ProviderError, type Shown } from "../../src/providers/provider.ts";
import * as registry from "../../src/providers/registry.ts";
import { expectLogged } from "../quiet.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, type Reply, setClock } from "../world.ts";

/** Machines that register themselves with an enrollment token. */

const HOUR = 3_600_000;
const EC2 = "i-1234567890abcdef0";
const KEY = "0123456789abcdef0123456789abcdef";
const OTHER_KEY = "fedcba9876543210fedcba9876543210";

type User = Awaited<ReturnType<typeof newUser>>;

async function newEnrollment(user: User, more: Record<string, unknown> = {}) {
  const { status, body } = await call("POST", "/api/agent/enrollments", {
    token: user.token,
    json: { name: "image", ...more },
  });
  expect(status).toBe(201);
  return body as { id: string; token: string; uses_left: number };
}

const enroll = (token: string, more: Record<string, unknown> = {}): Promise<Reply> =>
  call("POST", "/api/agent/enroll", {
    token,
    json: { provider: "ec2", machine_id: EC2, machine_key: KEY, ...more },
  });

const list = async (user: User) =>
  (await call("GET", "/api/agent/enrollments", { token: user.token })).body.enrollments;

const instances = async (user: User): Promise<{ instance_id: string; name: string; provider: string }[]> =>
  (await call("GET", "/api/agent/instances", { token: user.token })).body.instances;

const beat = (token: string, instanceId: string) =>
  call("POST", "/api/agent/status", { token, json: { instance_id: instanceId, gpu_utilization: 90 } });

async function connect(user: User, kind: string, json: object): Promise<void> {
  const path = `/api/agent/providers/${kind}?verify=false`;
  expect((await call("PUT", path, { token: user.token, json })).status).toBe(200);
}

const codeOf = ({ status, body }: Reply) => [status, body.error?.code];

let user: User;

beforeEach(async () => {
  setClock(DAY);
  user = await newUser();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("an enrollment token", () => {
  it("is shown once, listed without itself, and nothing of it is kept that could be used", async () => {
    const made = await newEnrollment(user, { uses: 3, name_prefix: "train-", expires_in_days: 7 });
    expect(made).toMatchObject({
      state: "active",
      uses: 3,
      uses_left: 3,
      expires_at: "2030-01-14T00:00:00Z",
      last_used_at: null,
      name_prefix: "train-",
      call_provider: true,
    });
    const { token, ...rest } = made;
    expect(await list(user)).toEqual([rest]);
    const kept = await env.DB.prepare("SELECT * FROM enrollments").all();
    expect(JSON.stringify(kept.results)).not.toContain(token);
    expect(await list(await newUser("Bob"))).toEqual([]);
  });

  it("opens nothing else", async () => {
    const { token } = await newEnrollment(user);
    for (const [method, path] of [
      ["GET", "/api/agent/instances"],
      ["POST", "/api/agent/instances"],
      ["GET", "/api/agent/enrollments"],
      ["POST", "/api/agent/status"],
      ["GET", "/api/admin/users"],
      ["GET", "/metrics"],
    ] as const) {
      expect(codeOf(await call(method, path, { token })), path).toEqual([403, "forbidden"]);
    }
    expect(codeOf(await enroll(user.token))).toEqual([403, "forbidden"]);
  });

  it("is one of so many that a user may have", async () => {
    for (let count = 0; count < ENROLLMENTS_PER_USER; count++) await newEnrollment(user);
    const one = await call("POST", "/api/agent/enrollments", { token: user.token, json: { name: "more" } });
    expect(codeOf(one)).toEqual([409, "too_many"]);
    const [first] = await list(user);
    await call("DELETE", `/api/agent/enrollments/${first.id}`, { token: user.token });
    await newEnrollment(user);
  });

  it("is revoked by its owner alone, and is then refused", async () => {
    const { id, token } = await newEnrollment(user);
    const bob = await newUser("Bob");
    const asBob = await call("DELETE", `/api/agent/enrollments/${id}`, { token: bob.token });
    expect(codeOf(asBob)).toEqual([404, "not_found"]);
    expect((await call("DELETE", `/api/agent/enrollments/${id}`, { token: user.token })).status).toBe(200);
    expect(codeOf(await enroll(token))).toEqual([401, "unauthorized"]);
    expect(await instances(user)).toEqual([]);
  });
});

describe("a machine that enrolls", () => {
  it("is registered under its provider's id, hears its token, and may beat", async () => {
    const tags = { team: "vision" };
    const { token } = await newEnrollment(user, { name_prefix: "train-", hourly_cost: 0.4, tags });
    expect(await list(user)).toMatchObject([{ tags }]);
    const reply = await enroll(token);
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({
      success: true,
      instance_id: EC2,
      token: expect.any(String),
      note: "Only its own agent can stop this machine: there is no connection to Amazon EC2 that works",
    });
    expect((await beat(reply.body.token, EC2)).status).toBe(200);
    const { body } = await call("GET", `/api/agent/instances/${EC2}`, { token: user.token });
    expect(body).toMatchObject({
      name: `train-${EC2}`,
      provider: "agent",
      hourly_cost: 0.4,
      tags,
      status: "running",
    });
    expect(await list(user)).toMatchObject([
      { state: "used_up", uses_left: 0, last_used_at: "2030-01-07T00:00:00Z" },
    ]);
    const events = await call("GET", `/api/agent/instances/${EC2}/events`, { token: user.token });
    expect(JSON.stringify(events.body)).toContain("with the enrollment token image");
  });

  it("keeps its path where its provider calls it by one", async () => {
    const { token } = await newEnrollment(user);
    const ref = "projects/my-project/zones/us-central1-a/instances/trainer-1";
    const gcp = { provider: "gcp", machine_id: "4520031799277581759", provider_ref: ref };
    expect((await enroll(token, gcp)).status).toBe(201);
    const { body } = await call("GET", "/api/agent/instances/4520031799277581759", { token: user.token });
    expect(body.provider_ref).toBe(ref);
  });

  it("and is never heard is told of, but counts as one that its owner did not name", async () => {
    const actor = async (id: string) =>
      JSON.parse((await env.INSTANCES.getByName(`${user.userId}/${id}`).inspect())?.state ?? "{}").phase;
    await enroll((await newEnrollment(user)).token);
    await Instance.register(user, "by-hand");
    expect(await actor(EC2)).toMatchObject({ status: "pending", unheard: { because: "unknown" } });
    expect(await actor("by-hand")).toMatchObject({ unheard: { because: "registered" } });
  });

  it("is known again by its key: the same instance and token, and no further use, even of a token that is used up or has expired", async () => {
    const { token } = await newEnrollment(user, { uses: 1, expires_in_days: 1 });
    const first = await enroll(token);
    await beat(first.body.token, EC2);
    setClock(DAY + HOUR);
    const again = await enroll(token);
    expect([again.status, again.body.token]).toEqual([200, first.body.token]);
    setClock(DAY + 25 * HOUR);
    expect((await enroll(token)).body.token).toBe(first.body.token);
    expect(await instances(user)).toHaveLength(1);
  });

  it("is known again by another token of its owner, but by nobody else's", async () => {
    const first = await enroll((await newEnrollment(user)).token);
    const second = await newEnrollment(user);
    expect((await enroll(second.token)).body.token).toBe(first.body.token);
    expect((await list(user)).map(({ uses_left }: { uses_left: number }) => uses_left).sort()).toEqual([
      0, 1,
    ]);
    const bob = await newUser("Bob");
    const foreign = await enroll((await newEnrollment(bob)).token);
    expect(foreign.status).toBe(201);
    expect((await beat(foreign.body.token, EC2)).status).toBe(200);
    expect(await instances(user)).toMatchObject([{ instance_id: EC2, status: "pending" }]);
  });

  it("at the same time several times over is one instance and one use", async () => {
    const { token } = await newEnrollment(user, { uses: 2 });
    const replies = await Promise.all(Array.from({ length: 5 }, () => enroll(token)));
    expect(replies.every(({ status }) => [200, 201, 409].includes(status))).toBe(true);
    expect((await enroll(token)).status).toBe(200);
    expect(await instances(user)).toHaveLength(1);
    expect(await list(user)).toMatchObject([{ uses_left: 1 }]);
  });
});

describe("nothing is registered", () => {
  it("with a token that is used up, by however many at once", async () => {
    const { token } = await newEnrollment(user, { uses: 3 });
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, n) => enroll(token, { machine_id: `i-0000000${n}` })),
    );
    const statuses = replies.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, 201, 201, 403, 403, 403, 403, 403]);
    expect(codeOf(await enroll(token))).toEqual([403, "enrollment_used_up"]);
    expect(await instances(user)).toHaveLength(3);
  });

  it("with a token that has expired", async () => {
    const { token } = await newEnrollment(user, { expires_in_days: 1, uses: 5 });
    setClock(DAY + 24 * HOUR);
    expect(codeOf(await enroll(token))).toEqual([403, "enrollment_expired"]);
    expect(await instances(user)).toEqual([]);
    expect(await list(user)).toMatchObject([{ state: "expired", uses_left: 5 }]);
  });

  it("with a token of a user who is suspended, or that this service did not sign", async () => {
    const { token } = await newEnrollment(user);
    const admin = "test-admin-token-0123456789abcdef0123456789";
    await call("POST", `/api/admin/users/${user.userId}/suspend`, {
      token: admin,
      json: { because: "test" },
    });
    expect(codeOf(await enroll(token))).toEqual([403, "suspended"]);
    expect(codeOf(await enroll(`${token}x`))).toEqual([401, "unauthorized"]);
  });

  it("of a machine whose id is no id of its provider", async () => {
    const { token } = await newEnrollment(user);
    for (const bad of [
      { machine_id: "28864630" },
      { provider: "vast", machine_id: EC2 },
      { provider: "gcp", machine_id: "trainer-1" },
      { provider: "azure", machine_id: "A".repeat(36) },
      { provider: "webhook" },
      { machine_key: "short" },
      { machine_id: "../x" },
      { more: 1 },
    ]) {
      expect(codeOf(await enroll(token, bad)), JSON.stringify(bad)).toEqual([400, "invalid"]);
    }
    expect(await list(user)).toMatchObject([{ uses_left: 1 }]);
  });

  it("where the registration is refused, and then the use is given back", async () => {
    const { token } = await newEnrollment(user);
    vi.spyOn(InstanceActor.prototype, "register").mockResolvedValue({ outcome: "exists", isLeaving: true });
    expect(codeOf(await enroll(token))).toEqual([503, "unavailable"]);
    expect(await list(user)).toMatchObject([{ uses_left: 1 }]);
  });

  it("where the service fails on the way, and the machine that asks again has its use still", async () => {
    const { token } = await newEnrollment(user);
    vi.spyOn(InstanceActor.prototype, "register").mockRejectedValueOnce(new Error("lost"));
    expectLogged(/request failed/);
    expect(codeOf(await enroll(token))).toEqual([503, "unavailable"]);
    expect(codeOf(await enroll(token, { machine_id: "i-00000001" }))).toEqual([403, "enrollment_used_up"]);
    expect((await enroll(token)).status).toBe(201);
  });
});

describe("an instance that is there already", () => {
  it("and was heard is given to nobody who merely has an enrollment token, and its owner is told once", async () => {
    const one = await Instance.register(user, EC2);
    await one.heartbeat();
    const { token } = await newEnrollment(user, { uses: 5 });
    for (const key of [KEY, OTHER_KEY]) {
      expect(codeOf(await enroll(token, { machine_key: key }))).toEqual([409, "exists"]);
    }
    expect((await one.heartbeat()).status).toBe(200);
    expect(await list(user)).toMatchObject([{ uses_left: 5 }]);
    const { body } = await call("GET", "/api/agent/events", { token: user.token });
    const told = body.events.filter(({ kind }: { kind: string }) => kind === "enrollment_refused");
    expect(told).toMatchObject([{ severity: "warning", detail: { instance: EC2, enrollment: "image" } }]);
  });

  it("and enrolled by one machine is not given to another, heard or not", async () => {
    const { token } = await newEnrollment(user, { uses: 5 });
    const first = await enroll(token);
    expect(codeOf(await enroll(token, { machine_key: OTHER_KEY }))).toEqual([409, "exists"]);
    await beat(first.body.token, EC2);
    expect(codeOf(await enroll(token, { machine_key: OTHER_KEY }))).toEqual([409, "exists"]);
    expect((await beat(first.body.token, EC2)).status).toBe(200);
  });

  it("and never heard becomes the machine's: the token of its registration is refused from then on", async () => {
    const one = await Instance.register(user, EC2, { name: "by hand", hourly_cost: 2 });
    const { token } = await newEnrollment(user);
    const reply = await enroll(token);
    expect([reply.status, reply.body.instance_id]).toEqual([201, EC2]);
    expect((await beat(reply.body.token, EC2)).status).toBe(200);
    expect((await one.heartbeat()).status).toBe(401);
    expect(await instances(user)).toMatchObject([{ name: "by hand", hourly_cost: 2 }]);
    expect(await list(user)).toMatchObject([{ uses_left: 0 }]);
  });

  it("and never heard, of another machine with the same id, is not", async () => {
    await connect(user, "webhook", {
      url: "https://example.com/",
      secret: `whsec_${btoa("0".repeat(32))}`,
    });
    await Instance.register(user, "28864630", { provider: "webhook" }, "?sight=false");
    const { token } = await newEnrollment(user);
    const vast = { provider: "vast", machine_id: "28864630" };
    expect(codeOf(await enroll(token, vast))).toEqual([409, "exists"]);
  });

  it("is its owner's again once its token is replaced by hand", async () => {
    const { token } = await newEnrollment(user);
    const first = await enroll(token);
    await beat(first.body.token, EC2);
    const rotated = await call("POST", `/api/agent/instances/${EC2}/token`, { token: user.token });
    expect(codeOf(await enroll(token))).toEqual([409, "exists"]);
    expect((await beat(rotated.body.token, EC2)).status).toBe(200);
  });

  it("is its owner's once its token is replaced by hand, though it was never heard", async () => {
    const { token } = await newEnrollment(user);
    await enroll(token);
    const rotated = await call("POST", `/api/agent/instances/${EC2}/token`, { token: user.token });
    expect(codeOf(await enroll(token))).toEqual([409, "exists"]);
    expect((await beat(rotated.body.token, EC2)).status).toBe(200);
  });

  it("stays removed for the token that registered it; another one registers it anew", async () => {
    const { token } = await newEnrollment(user, { uses: 5 });
    const first = await enroll(token);
    expect((await call("DELETE", `/api/agent/instances/${EC2}`, { token: user.token })).status).toBe(200);
    expect(codeOf(await enroll(token))).toEqual([409, "removed"]);
    expect(await instances(user)).toEqual([]);
    const second = await enroll((await newEnrollment(user)).token);
    expect(second.status).toBe(201);
    expect((await beat(first.body.token, EC2)).status).toBe(401);
    expect((await beat(second.body.token, EC2)).status).toBe(200);
  });
});

it("comes back by an export of its user, with what was registered, and under no other user", async () => {
  const { token, id } = await newEnrollment(user, { uses: 2, name_prefix: "a-" });
  await enroll(token);
  const before = await list(user);
  const lines: { type: string }[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query = cursor === "" ? "" : `?cursor=${cursor}`;
    const page: Reply = await call("GET", `/api/admin/users/${user.userId}/export${query}`, {
      token: ADMIN_TOKEN,
    });
    lines.push(...page.body.lines);
    cursor = page.body.next_cursor;
  }
  await env.DB.batch([
    env.DB.prepare("DELETE FROM enrollments WHERE id = ?").bind(id),
    env.DB.prepare("DELETE FROM enrolled_machines WHERE enrollment_id = ?").bind(id),
  ]);
  const bob = await newUser("Bob");
  for (const target of [bob, user]) {
    const json = { from_user_id: user.userId, exported_at: Date.now(), lines: lines.slice(1) };
    const path = `/api/admin/users/${target.userId}/import`;
    expect((await call("POST", path, { token: ADMIN_TOKEN, json })).body.refused).toEqual([]);
  }
  expect(await list(bob)).toEqual([]);
  expect(await list(user)).toEqual(before);
  expect((await enroll(token)).status).toBe(200);
});

describe("at a provider that is connected", () => {
  const RUNNING: Shown = { state: "running", gpus: 8, obstacle: null };
  const status = vi.fn<Provider["status"]>();
  const verify = vi.fn<Provider["verify"]>();
  const CREDENTIALS = {
    access_key_id: "AKIAIOSFODNN7EXAMPLE",
    secret_access_key: "s".repeat(40),
    region: "eu-west-1",
  };

  beforeEach(async () => {
    const unasked = () => Promise.reject(new Error("never asked"));
    const provider: Provider = {
      status,
      verify,
      hibernate: unasked,
      forceHibernate: unasked,
      wake: unasked,
      snapshot: unasked,
      snapshotState: unasked,
      delete: unasked,
      list: null,
    };
    vi.spyOn(registry, "openProvider").mockImplementation(async (env, userId, connected) => {
      const setAt = (await credentialsSetAt(env, userId, connected)) ?? 0;
      const of = connectionOf(connected) ?? "";
      return {
        provider: { ...provider, status: (target) => status({ ...target, actionId: of }) },
        credentialsSetAt: setAt,
      };
    });
    status.mockReset().mockResolvedValue(RUNNING);
    verify.mockReset().mockResolvedValue();
    await connect(user, "ec2", CREDENTIALS);
  });

  const view = async (id = EC2) =>
    (await call("GET", `/api/agent/instances/${id}`, { token: user.token })).body;

  it("the machine is seen there, and its provider can stop it", async () => {
    const reply = await enroll((await newEnrollment(user)).token);
    expect([reply.status, reply.body.note]).toEqual([201, null]);
    expect(await view()).toMatchObject({ provider: "ec2", connection: "ec2", provider_ref: null });
  });

  it("it is found by that of several connections which shows it", async () => {
    const json = { provider: "ec2", name: "Oregon", credentials: { ...CREDENTIALS, region: "us-west-2" } };
    const second = await call("POST", "/api/agent/connections?verify=false", { token: user.token, json });
    status.mockImplementation(async ({ actionId }) =>
      actionId === second.body.id ? RUNNING : { state: "missing" },
    );
    expect((await enroll((await newEnrollment(user)).token)).body.note).toBeNull();
    expect(await view()).toMatchObject({ provider: "ec2", connection: second.body.id });
  });

  it.each([
    ["that does not show it", { state: "missing" }, "ec2 shows no machine"],
    ["that can't stop it", { ...RUNNING, obstacle: "it is in a group" }, "it is in a group"],
  ] as const)("one %s keeps it from nothing but being called", async (_, sighting, because) => {
    status.mockResolvedValue(sighting);
    const reply = await enroll((await newEnrollment(user)).token);
    expect(reply.status).toBe(201);
    expect(reply.body.note).toContain(because);
    expect(await view()).toMatchObject({ provider: "agent" });
  });

  it("one that does not answer is called all the same, and the machine counts as not seen", async () => {
    status.mockRejectedValue(new ProviderError("unavailable", "it is down"));
    expect((await enroll((await newEnrollment(user)).token)).body.note).toBeNull();
    expect(await view()).toMatchObject({ provider: "ec2" });
  });

  it("no provider is asked where the token says so", async () => {
    const reply = await enroll((await newEnrollment(user, { call_provider: false })).token);
    expect(reply.body.note).toContain("its enrollment token says so");
    expect(status).not.toHaveBeenCalled();
  });

  it("what the policy asks of a provider without snapshots does not keep a machine from being watched", async () => {
    await connect(user, "vast", { api_key: "0123456789abcdef" });
    const vast = { provider: "vast", machine_id: "28864630" };
    expect((await enroll((await newEnrollment(user)).token, vast)).status).toBe(201);
    expect(await view("28864630")).toMatchObject({
      provider: "vast",
      policy_overrides: { instance: { orphan: { delete_after_days: null } } },
    });
  });

  it("a machine that another instance watches is that instance's: given once it was never heard, refused once it was", async () => {
    const one = await Instance.register(user, "rig", { provider: "ec2", provider_ref: EC2 });
    const { token } = await newEnrollment(user, { uses: 5 });
    const reply = await enroll(token);
    expect([reply.status, reply.body.instance_id]).toEqual([201, "rig"]);
    expect((await beat(reply.body.token, "rig")).status).toBe(200);
    expect((await one.heartbeat()).status).toBe(401);
    expect(codeOf(await enroll(token, { machine_key: OTHER_KEY }))).toEqual([409, "exists"]);
    expect(await instances(user)).toHaveLength(1);
    expect((await enroll(token)).body.instance_id).toBe("rig");
  });
});
