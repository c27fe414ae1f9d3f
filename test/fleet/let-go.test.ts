import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FleetEvent } from "../../src/fleet/tables/events.ts";
import type { HistoryEvent } from "../../src/lifecycle/model/history-event.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { mayLog } from "../quiet.ts";
import { giveBookmark, snapshotOf } from "../snapshots.ts";
import { ADMIN_TOKEN, call, DAY, Instance, newUser, setClock } from "../world.ts";
import { alertOf, type FleetStub, reportOf } from "./fleets.ts";

/** A machine that its instance lets go: whether its owner has to hear that nobody watches it. */

const MINUTE = 60_000;

mayLog(/totalsAt failed|historyAt failed/);

beforeEach(() => setClock(DAY));
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const change = (id: string, detail: HistoryEvent["detail"]) =>
  alertOf(id, { kind: "changed", severity: "info", detail });

async function toldBy(fleet: FleetStub): Promise<FleetEvent[]> {
  const { entries } = await fleet.events(null, 100);
  return entries.filter(({ kind, instanceId }) => kind === "unwatched" && instanceId === null);
}

describe("a machine that an instance holds and does not watch", () => {
  const watching = (ref: string, revision: number, events: readonly HistoryEvent[] = []) =>
    reportOf("rig", { provider: "webhook", providerRef: ref, revision, events });

  it("is told to its owner once when the instance was set back to before it had it", async () => {
    const fleet = fleetOf(env, "lets-go");
    await fleet.report(watching("a", 1));
    setClock(DAY + 5 * MINUTE);
    await fleet.claim({ provider: "webhook", ref: "b" }, "rig");
    await fleet.report(watching("b", 2, [change("1", { providerRef: "b" })]));
    expect(await toldBy(fleet)).toEqual([]);
    // Set back, it goes on above its revisions, and holds a again.
    setClock(DAY + 60 * MINUTE);
    const back = watching("a", 9);
    await fleet.report(back);
    await fleet.report(back);
    expect((await fleet.claimsOf("rig")).map(({ ref }) => ref)).toEqual(["a"]);
    const told = await toldBy(fleet);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      severity: "warning",
      detail: { provider: "webhook", provider_ref: "b", instance_id: "rig" },
    });
    expect(told[0]?.message).toContain("webhook b");
  });

  it("is not told when its owner has changed it so, also if it is let go only later", async () => {
    const fleet = fleetOf(env, "changes-it");
    await fleet.report(watching("a", 1));
    setClock(DAY + MINUTE / 2);
    await fleet.claim({ provider: "webhook", ref: "b" }, "rig");
    // Too young to be let go with this report.
    await fleet.report(watching("b", 2, [change("1", { providerRef: "b" })]));
    expect(await fleet.claimsOf("rig")).toHaveLength(2);
    setClock(DAY + 10 * MINUTE);
    await fleet.report(watching("b", 3));
    expect(await fleet.claimsOf("rig")).toHaveLength(1);
    // To its id, where there is no reference, or to a provider that nobody calls.
    setClock(DAY + 20 * MINUTE);
    const own = { provider: "webhook", revision: 4, events: [change("2", { providerRef: null })] } as const;
    await fleet.report(reportOf("rig", own));
    expect((await fleet.claimsOf("rig")).map(({ ref }) => ref)).toEqual(["rig"]);
    setClock(DAY + 30 * MINUTE);
    const agent = { provider: "agent", revision: 5, events: [change("3", { provider: "agent" })] } as const;
    await fleet.report(reportOf("rig", agent));
    expect(await fleet.claimsOf("rig")).toEqual([]);
    expect(await toldBy(fleet)).toEqual([]);
  });

  it("is told though its owner had changed something else, or had changed it so long before", async () => {
    const fleet = fleetOf(env, "changed-before");
    await fleet.report(watching("a", 1, [change("1", { providerRef: "a" })]));
    setClock(DAY + 5 * MINUTE);
    await fleet.report(watching("b", 2, [change("2", { providerRef: "b" })]));
    setClock(DAY + 10 * MINUTE);
    await fleet.report(watching("a", 9, [change("3", { name: "Rig" })]));
    expect(await toldBy(fleet)).toHaveLength(1);
  });

  it("is not told of one that is deleted or removed, which takes all that it holds with it", async () => {
    const fleet = fleetOf(env, "takes-it-along");
    await fleet.report(watching("a", 1));
    await fleet.claim({ provider: "webhook", ref: "b" }, "rig");
    setClock(DAY + 5 * MINUTE);
    await fleet.report(
      reportOf("rig", { provider: "webhook", providerRef: "a", revision: 2, status: "deleted" }),
    );
    expect(await fleet.claimsOf("rig")).toEqual([]);
    expect(await toldBy(fleet)).toEqual([]);
  });
});

it("an instance that the operator sets back to before its owner changed its machine lets that go, and says so", async () => {
  vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("the control plane is away"));
  const user = await newUser();
  await call("PUT", "/api/agent/providers/webhook?verify=false", {
    token: user.token,
    json: {
      url: "https://plane.example.com/orders",
      secret: `whsec_${btoa("0123456789abcdef0123456789abcdef")}`,
    },
  });
  const rig = await Instance.register(user, "rig", { provider: "webhook", provider_ref: "a" });
  await rig.heartbeat();
  await rig.settled();
  const then = await snapshotOf(rig.actor);
  setClock(DAY + 5 * MINUTE);
  expect((await rig.ask("PATCH", "", { provider_ref: "b" })).status).toBe(200);
  await rig.settled();
  const fleet = fleetOf(env, user.userId);
  expect(await toldBy(fleet)).toEqual([]);
  setClock(DAY + 60 * MINUTE);
  await giveBookmark(rig.actor, then);
  const path = `/api/admin/users/${user.userId}/instances/rig/restore`;
  const json = { at: "2030-01-07T00:04:00Z" };
  expect((await call("POST", path, { token: ADMIN_TOKEN, json })).status).toBe(200);
  await rig.settled();
  expect((await fleet.claimsOf("rig")).map(({ ref }) => ref)).toEqual(["a"]);
  expect((await toldBy(fleet)).map(({ detail }) => detail.provider_ref)).toEqual(["b"]);
});
