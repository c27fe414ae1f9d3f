import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { outcomesOfChannels, paceOfProviders, Sums } from "../../../src/api/admin/service-sums.ts";
import { noteCleanup } from "../../../src/service/service.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser } from "../../world.ts";

const admin = (method: string, path: string) => call(method, `/api/admin${path}`, { token: ADMIN_TOKEN });

describe("the service, as its operator sees it", () => {
  it("is empty and well at first", async () => {
    const { status, body } = await admin("GET", "/service");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      instances_by_status: {},
      guard: { closed_at: null, opened_at: null },
      users_with_closed_guard: 0,
      cleanup: null,
      providers: [],
      channels: [],
    });
    expect(body.databases).toEqual([{ name: "DB", status: "ok", migration: body.migration }]);
  });

  it("tells what the last cleanup did", async () => {
    await noteCleanup(
      env,
      { startedAt: DAY, instances: 3, unreachable: 1, failures: { instances: 1 } },
      { id: "run", at: DAY, kind: "cleanup", severity: "info", message: "Cleanup", detail: {} },
    );
    const { body } = await admin("GET", "/service");
    expect(body.cleanup).toEqual({
      started_at: "2030-01-07T00:00:00Z",
      instances: 3,
      unreachable: 1,
      passed_over: { instances: 1 },
    });
  });

  it("lists each user with how the user stands", async () => {
    const [ada, bob] = [await newUser("Ada"), await newUser("Bob")];
    await Instance.register(ada, "rig");
    await admin("POST", `/users/${bob.userId}/suspend`);
    const { body } = await admin("GET", "/users");
    const standings = Object.fromEntries(
      body.users.map(({ user_id, standing }: { user_id: string; standing: string }) => [user_id, standing]),
    );
    expect(standings).toMatchObject({ [ada.userId]: "active", [bob.userId]: "suspended" });
  });
});

describe("the service's counters", () => {
  const sums = new Sums({
    'turns{"provider":"vast"}': 4,
    'turn_seconds{"provider":"vast"}': 2,
    'turns{"provider":"runpod"}': 2,
    'turn_seconds{"provider":"runpod"}': 9,
    'turns_given_up{"provider":"ec2"}': 1,
    'alerts{"channel":"slack","outcome":"delivered"}': 5,
    'alerts{"channel":"slack","outcome":"failed"}': 3,
    'alerts_given_up{"channel":"email"}': 1,
    'deliveries_given_up{"target":"history"}': 2,
    'deliveries_given_up{"target":"fleet"}': 1,
  });

  it("are summed over the labels that nobody asks for", () => {
    expect(sums.of("deliveries_given_up")).toBe(3);
    expect(sums.of("deliveries_given_up", { target: "fleet" })).toBe(1);
    expect(sums.of("orders_overdue")).toBe(0);
  });

  it("show the providers that were called, the slowest first, and an unknown wait as unknown", () => {
    expect(paceOfProviders(sums)).toEqual([
      { provider: "runpod", calls: 2, average_wait_seconds: 4.5, limited: 0, given_up: 0 },
      { provider: "vast", calls: 4, average_wait_seconds: 0.5, limited: 0, given_up: 0 },
      { provider: "ec2", calls: 0, average_wait_seconds: null, limited: 0, given_up: 1 },
    ]);
  });

  it("show what became of messages by channel", () => {
    expect(outcomesOfChannels(sums)).toEqual([
      { kind: "email", delivered: 0, failed: 0, given_up: 1 },
      { kind: "slack", delivered: 5, failed: 3, given_up: 0 },
    ]);
  });
});
