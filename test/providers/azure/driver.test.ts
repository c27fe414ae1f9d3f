import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { azure } from "../../../src/providers/azure/driver.ts";
import { gpusOf } from "../../../src/providers/azure/machine.ts";
import type { Reply } from "../../outside/http.ts";
import { CREDENTIALS, FakeAzure, type FakeMachine, fault, idOf, json, SUBSCRIPTION } from "./fake.ts";

const target = { ref: "my-group/my-vm", instanceId: "rig", actionId: "0a1b-2c3d" };
const MACHINE = "/resourceGroups/my-group/providers/Microsoft.Compute/virtualMachines/my-vm";
const START = `POST ${MACHINE}/start?api-version=2025-04-01`;
const DEALLOCATE = `POST ${MACHINE}/deallocate?api-version=2025-04-01`;
const DELETE = `DELETE ${MACHINE}?api-version=2025-04-01`;

const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/my-group`;
const SCALE_SET = `${GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/farm`;

let fake: FakeAzure;

beforeAll(async () => {
  fake = await FakeAzure.start();
});
afterAll(() => fake.stop());
beforeEach(() => {
  fake.reset();
  machineIs({});
});

const provider = (changes: Partial<typeof CREDENTIALS> = {}) =>
  azure({ ...CREDENTIALS, ...changes }, fake.urls);

function machineIs(changes: Partial<FakeMachine>): void {
  fake.machines.set(target.ref, {
    power: "running",
    provisioning: "Succeeded",
    size: "Standard_NC24ads_A100_v4",
    ...changes,
  });
}

/** Everything but the token is answered with this. */
function answersWith(reply: Reply, method?: string): void {
  fake.instead = (call) =>
    call.path.startsWith("/login/") || (method !== undefined && call.method !== method) ? undefined : reply;
}

describe("Azure", () => {
  it("is told to deallocate and to start, and shows when that has happened", async () => {
    const driver = provider();
    expect(await driver.status(target)).toEqual({ state: "running", gpus: null, obstacle: null });
    expect(await driver.hibernate(target)).toBe("accepted");
    expect(fake.orders).toEqual([DEALLOCATE]);
    expect(await driver.status(target)).toMatchObject({ state: "stopping" });
    fake.settle();
    expect(await driver.status(target)).toEqual({ state: "stopped", gpus: null, obstacle: null });
    expect(await driver.wake(target)).toBe("accepted");
    expect(fake.orders).toEqual([DEALLOCATE, START]);
    expect(await driver.status(target)).toMatchObject({ state: "starting" });
    fake.settle();
    expect(await driver.status(target)).toMatchObject({ state: "running" });
    expect(await driver.forceHibernate(target)).toBe("accepted");
    expect(fake.orders.at(-1)).toBe(DEALLOCATE);
  });

  it("deletes a machine, which is shown as stopping until it is missing", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(fake.orders).toEqual([DELETE]);
    expect(await provider().status(target)).toMatchObject({ state: "stopping" });
    expect(await provider().delete(target)).toBe("accepted");
    expect(fake.orders).toEqual([DELETE]);
    fake.settle();
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
  });

  it("is asked for nothing more where what is wanted is so already", async () => {
    machineIs({ power: "deallocated" });
    expect(await provider().hibernate(target)).toBe("done");
    machineIs({ power: "deallocating", provisioning: "Updating" });
    expect(await provider().forceHibernate(target)).toBe("accepted");
    expect(fake.orders).toEqual([]);
  });

  it("deallocates a machine that was only shut down, since that one is still billed", async () => {
    machineIs({ power: "stopped" });
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(fake.orders).toEqual([DEALLOCATE]);
  });

  it("deallocates a machine of which it shows no power state", async () => {
    machineIs({ power: null, provisioning: "Failed", failure: "ProvisioningState/failed/InternalError" });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(fake.orders).toEqual([DEALLOCATE]);
  });

  it.each<[string | null, string, string]>([
    ["running", "Failed", "running"],
    ["running", "Updating", "running"],
    ["stopping", "Succeeded", "running"],
    ["stopped", "Succeeded", "running"],
    ["stopped", "Failed", "running"],
    ["stopped", "Updating", "starting"],
    ["stopped", "Creating", "starting"],
    ["starting", "Updating", "starting"],
    [null, "Creating", "starting"],
    ["deallocating", "Updating", "stopping"],
    ["running", "Deleting", "stopping"],
    ["deallocated", "Succeeded", "stopped"],
    ["deallocated", "Failed", "stopped"],
  ])("showing power %s after an operation that is %s means %s", async (power, provisioning, state) => {
    machineIs({ power, provisioning });
    expect(await provider().status(target)).toMatchObject({ state });
  });

  it("shows a start that found no capacity as deallocated again", async () => {
    await provider().wake(target);
    machineIs({
      power: "deallocated",
      provisioning: "Failed",
      failure: "ProvisioningState/failed/AllocationFailed",
    });
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
  });

  it.each<[string | null, string, string | undefined, string]>([
    [
      null,
      "Failed",
      "ProvisioningState/failed/AllocationFailed",
      "Azure shows no power state; its last operation: ProvisioningState/failed/AllocationFailed",
    ],
    [
      null,
      "Succeeded",
      undefined,
      "Azure shows no power state; its last operation: ProvisioningState/succeeded",
    ],
    [
      "dreaming",
      "Succeeded",
      undefined,
      "Azure shows it as dreaming; its last operation: ProvisioningState/succeeded",
    ],
  ])("showing power %s after %s is unknown", async (power, provisioning, failure, because) => {
    machineIs({ power, provisioning, ...(failure === undefined ? {} : { failure }) });
    expect(await provider().status(target)).toEqual({ state: "unknown", because });
  });

  it.each([
    ["Standard_D4s_v5", null, 0],
    ["Basic_A1", null, 0],
    ["Standard_NP20s", null, 0],
    ["Standard_NC4as_T4_v3", "T4", null],
    ["Standard_NC6_Promo", null, null],
    ["Standard_ND96isr_MI300X_v5", "MI300X", null],
    ["a size of its own", null, null],
  ])("shows of the size %s what its name says", (size, gpu, gpus) => {
    expect(gpusOf(size)).toEqual({ gpu, gpus });
  });
});

describe("what stands against an order", () => {
  const SPOT = { priority: "Spot", evictionPolicy: "Delete" };
  const HOSTS = `${GROUP}/providers/Microsoft.Compute/hostGroups/hosts`;
  const HOST = `${HOSTS}/hosts/h1`;
  const RESERVED = {
    capacityReservation: {
      capacityReservationGroup: {
        id: `${GROUP}/providers/Microsoft.Compute/capacityReservationGroups/spare`,
      },
    },
  };
  const EPHEMERAL = { storageProfile: { osDisk: { name: "os", diffDiskSettings: { option: "Local" } } } };

  it.each<[string, Partial<FakeMachine>, RegExp]>([
    [
      "a member of a scale set",
      { more: { virtualMachineScaleSet: { id: SCALE_SET } } },
      /the scale set farm/,
    ],
    ["a machine that a scale set manages", { beside: { managedBy: SCALE_SET } }, /the scale set farm/],
    ["a node of AKS", { beside: { tags: { "aks-managed-poolName": "gpu" } } }, /the AKS node pool gpu/],
    ["an ephemeral OS disk", { more: EPHEMERAL }, /its OS disk is ephemeral/],
    ["what is on a dedicated host", { more: { host: { id: HOST } } }, /dedicated host h1, which is billed/],
    [
      "what a group of hosts takes",
      { more: { hostGroup: { id: HOSTS } } },
      /dedicated host hosts, which is billed/,
    ],
    ["what has capacity reserved", { more: RESERVED }, /capacity reservation spare, which is billed/],
  ])("to stop %s is shown and refused", async (_, changes, why) => {
    machineIs(changes);
    expect(await provider().status(target)).toMatchObject({
      state: "running",
      obstacle: expect.stringMatching(why),
    });
    await expect(provider().hibernate(target)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(why),
    });
    expect(fake.orders).toEqual([]);
  });

  it("to stop or delete a machine is a lock that forbids any change", async () => {
    fake.locks = [{ name: "frozen", level: "ReadOnly" }];
    const message = "the lock frozen (ReadOnly) is on it";
    expect(await provider().status(target)).toMatchObject({ state: "running", obstacle: message });
    for (const order of ["hibernate", "delete", "snapshot"] as const) {
      await expect(provider()[order](target)).rejects.toMatchObject({ code: "refused", message });
    }
    expect(fake.orders).toEqual([]);
  });

  it("to delete a machine is a lock against that, which does not keep it from being stopped", async () => {
    fake.locks = [{ name: "keep", level: "CanNotDelete" }];
    expect(await provider().status(target)).toMatchObject({ state: "running", obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    const message = "the lock keep (CanNotDelete) is on it";
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "refused", message });
    // Before the snapshot, which would be in vain.
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "refused", message });
    expect(fake.orders).toEqual([DEALLOCATE]);
  });

  it("is said by Azure itself where the application may not read locks", async () => {
    fake.locks = [{ name: "frozen", level: "ReadOnly" }];
    fake.instead = ({ path }) =>
      path.includes("/locks?") ? fault(403, "AuthorizationFailed", "may not read locks") : undefined;
    expect(await provider().status(target)).toMatchObject({ state: "running", obstacle: null });
    const refusal = { code: "refused", message: expect.stringContaining("ScopeLocked") };
    await expect(provider().hibernate(target)).rejects.toMatchObject(refusal);
    await expect(provider().wake(target)).rejects.toMatchObject(refusal);
    await expect(provider().delete(target)).rejects.toMatchObject(refusal);
  });

  it("is asked for again when locks can't be read just now", async () => {
    fake.instead = ({ path }) => (path.includes("/locks?") ? { status: 503, body: "" } : undefined);
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "unavailable" });
    expect(fake.orders).toEqual([]);
  });

  it("is nothing for a Spot machine, not even for one whose eviction would delete it", async () => {
    machineIs({ more: SPOT });
    expect(await provider().status(target)).toMatchObject({ state: "running", obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
  });

  it("stands against a stop even of a stopped machine, but not against its deletion", async () => {
    machineIs({ power: "deallocated", more: { ...RESERVED, host: null } });
    expect(await provider().status(target)).toMatchObject({
      state: "stopped",
      obstacle: expect.stringContaining("saves nothing"),
    });
    expect(await provider().delete(target)).toBe("accepted");
  });

  it("is nothing when a reservation or a host has been taken from it", async () => {
    machineIs({
      more: { host: { id: null }, capacityReservation: { capacityReservationGroup: { id: null } } },
    });
    expect(await provider().status(target)).toMatchObject({ state: "running", obstacle: null });
  });

  it("to delete a member of a scale set is refused too", async () => {
    machineIs({ power: "deallocated", more: { virtualMachineScaleSet: { id: SCALE_SET } } });
    expect(await provider().status(target)).toMatchObject({ state: "stopped", obstacle: expect.any(String) });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "refused" });
    expect(fake.orders).toEqual([]);
  });
});

describe("that a machine is missing", () => {
  it("is said by Azure's own error about this machine", async () => {
    fake.machines.clear();
    expect(await provider().status(target)).toEqual({ state: "missing" });
  });

  it.each<[string, Reply]>([
    ["of its group", fault(404, "ResourceGroupNotFound", "Resource group 'my-group' could not be found.")],
    [
      "of another machine",
      fault(
        404,
        "ResourceNotFound",
        "The Resource 'Microsoft.Compute/virtualMachines/my-vm-2' under resource group 'my-group' was not found.",
      ),
    ],
    [
      "of a machine in another group",
      fault(
        404,
        "ResourceNotFound",
        "The Resource 'Microsoft.Compute/virtualMachines/my-vm' under resource group 'my-group-2' was not found.",
      ),
    ],
    [
      "of a disk",
      fault(
        404,
        "ResourceNotFound",
        "The Resource 'Microsoft.Compute/disks/os' under resource group 'my-group' was not found.",
      ),
    ],
    [
      "with another status",
      fault(
        400,
        "ResourceNotFound",
        "The Resource 'Microsoft.Compute/virtualMachines/my-vm' under resource group 'my-group' was not found.",
      ),
    ],
    ["with another code", fault(404, "NotFound", "The entity was not found in this Azure location.")],
    ["without words", json(404, { error: { code: "ResourceNotFound", message: "" } })],
    ["of a proxy", { status: 404, body: "<html><h1>Not Found</h1></html>" }],
    ["of a retired API", { status: 410, body: "Gone" }],
    ["that leads elsewhere", { status: 302, body: "", headers: { Location: "https://example.com/" } }],
  ])("is not proven by an answer %s", async (_, reply) => {
    answersWith(reply);
    expect(await provider().status(target)).toMatchObject({ state: "unknown" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "refused" });
  });

  it.each<[string, Reply, string]>([
    [
      "of its subscription",
      fault(404, "SubscriptionNotFound", `The subscription '${SUBSCRIPTION}' could not be found.`),
      "unauthorised",
    ],
    [
      "of another tenant",
      fault(401, "InvalidAuthenticationTokenTenant", "The access token is from the wrong issuer."),
      "unauthorised",
    ],
    [
      "of missing permissions",
      fault(403, "AuthorizationFailed", "The client may not do it."),
      "unauthorised",
    ],
    ["without a machine", json(200, {}), "unavailable"],
    ["of a login page", { status: 200, body: "<html>Sign in</html>" }, "unavailable"],
    ["of a failure", { status: 502, body: "Bad Gateway" }, "unavailable"],
  ])("is not proven by an answer %s, which is an error", async (_, reply, code) => {
    answersWith(reply);
    await expect(provider().status(target)).rejects.toMatchObject({ name: "Error", code });
  });

  it("is not proven by another machine", async () => {
    answersWith(
      json(200, {
        id: idOf("my-group/other"),
        name: "other",
        location: "westeurope",
        properties: {
          provisioningState: "Succeeded",
          instanceView: { statuses: [{ code: "PowerState/deallocated" }] },
        },
      }),
    );
    await expect(provider().status(target)).rejects.toMatchObject({ code: "unavailable" });
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("an order that Azure refuses", () => {
  it.each<[string, Reply, string]>([
    ["capacity", fault(409, "AllocationFailed", "Allocation failed."), "no_capacity"],
    [
      "capacity in its zone",
      fault(409, "ZonalAllocationFailed", "Allocation failed in zone 1."),
      "no_capacity",
    ],
    ["a size", fault(409, "SkuNotAvailable", "The requested size is not available."), "no_capacity"],
    ["constraints", fault(409, "OverconstrainedAllocationRequest", "Too many constraints."), "no_capacity"],
    [
      "a quota",
      fault(
        409,
        "OperationNotAllowed",
        "Operation could not be completed as it results in exceeding approved standardNCADSA100v4Family Cores quota.",
      ),
      "no_capacity",
    ],
    ["a state", fault(409, "OperationNotAllowed", "The VM is marked for deletion."), "refused"],
    [
      "another operation",
      fault(409, "AnotherOperationInProgress", "Another one is in progress."),
      "unavailable",
    ],
    ["a conflict", fault(409, "Conflict", "The request failed due to conflict."), "unavailable"],
    ["a policy", fault(403, "RequestDisallowedByPolicy", "Disallowed by policy."), "refused"],
    ["a deny assignment", fault(403, "DenyAssignmentAuthorizationFailed", "Managed by another."), "refused"],
    ["a subscription that ended", fault(403, "ReadOnlyDisabledSubscription", "It is disabled."), "refused"],
    ["permissions", fault(403, "AuthorizationFailed", "The client may not do it."), "unauthorised"],
    ["an expired token", fault(401, "ExpiredAuthenticationToken", "The token has expired."), "unauthorised"],
    ["a failure of its own", fault(500, "InternalExecutionError", "An internal error."), "unavailable"],
  ])("for %s says so", async (_, reply, code) => {
    answersWith(reply, "POST");
    await expect(provider().wake(target)).rejects.toMatchObject({ code });
  });

  it("for too many requests says how long to wait", async () => {
    answersWith(fault(429, "TooManyRequests", "The request was throttled.", { "Retry-After": "17" }));
    await expect(provider().status(target)).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterSeconds: 17,
    });
  });

  it.each<[string, Reply]>([
    ["an object", json(200, {})],
    ["a page", { status: 200, body: "<html>OK</html>" }],
    ["a page that accepts", { status: 202, body: "<html>OK</html>" }],
  ])("by answering with %s is not accepted", async (_, reply) => {
    fake.instead = ({ method, path }) =>
      method !== "GET" && !path.startsWith("/login/") ? reply : undefined;
    for (const order of ["hibernate", "wake", "delete", "snapshot"] as const) {
      await expect(provider()[order](target)).rejects.toMatchObject({ code: "unavailable" });
    }
  });
});

describe("the application's token", () => {
  it("is asked for once, and again when it is about to expire", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 0, 1) });
    try {
      const driver = provider();
      await driver.status(target);
      await driver.status(target);
      expect(fake.tokensIssued).toBe(1);
      vi.setSystemTime(Date.now() + (3599 - 301) * 1000);
      await driver.status(target);
      expect(fake.tokensIssued).toBe(1);
      vi.setSystemTime(Date.now() + 1000);
      await driver.status(target);
      expect(fake.tokensIssued).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is asked for anew after it was refused", async () => {
    const driver = provider();
    answersWith(fault(401, "ExpiredAuthenticationToken", "The token has expired."));
    await expect(driver.status(target)).rejects.toMatchObject({ code: "unauthorised" });
    fake.instead = () => undefined;
    expect(await driver.status(target)).toMatchObject({ state: "running" });
    expect(fake.tokensIssued).toBe(2);
  });

  it.each<[string, Partial<typeof CREDENTIALS>]>([
    ["secret", { client_secret: "another-secret" }],
    ["tenant", { tenant_id: "55555555-5555-4555-8555-555555555555" }],
  ])("is refused for a wrong %s, of which nothing is told", async (_, changes) => {
    const error = await provider(changes)
      .status(target)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "unauthorised", message: expect.stringContaining("AADSTS") });
    expect(String(error)).not.toContain("another-secret");
  });

  it.each<[string, Reply, string]>([
    ["a page", { status: 200, body: "<html></html>" }, "unavailable"],
    ["an object", json(200, {}), "unavailable"],
    ["too many requests", { status: 429, body: "" }, "rate_limited"],
    ["a failure", { status: 503, body: "" }, "unavailable"],
    ["a passing error", json(400, { error: "temporarily_unavailable" }), "unavailable"],
    ["a proxy's 404", { status: 404, body: "not found" }, "refused"],
  ])("that is answered with %s is an error", async (_, reply, code) => {
    fake.instead = ({ path }) => (path.startsWith("/login/") ? reply : undefined);
    await expect(provider().wake(target)).rejects.toMatchObject({ code });
    expect(fake.orders).toEqual([]);
  });
});

describe("trying the credentials", () => {
  const all = [
    "Microsoft.Compute/virtualMachines/*/read",
    "microsoft.compute/virtualmachines/read",
    "Microsoft.Compute/virtualMachines/*/action",
    "Microsoft.Compute/*/delete",
  ];

  it("without a machine lists machines", async () => {
    await provider().verify(null);
    expect(fake.orders).toEqual([]);
    answersWith(json(200, {}));
    await expect(provider().verify(null)).rejects.toMatchObject({ code: "unavailable" });
    answersWith(fault(403, "AuthorizationFailed", "The client may not do it."));
    await expect(provider().verify(null)).rejects.toMatchObject({ code: "unauthorised" });
  });

  it("on a machine asks what the application may do there, and changes nothing", async () => {
    await provider().verify(target);
    fake.permissions = [
      { actions: all, notActions: ["Microsoft.Compute/virtualMachines/extensions/delete"] },
    ];
    fake.groupPermissions = [
      { actions: ["Microsoft.Compute/snapshots/read"] },
      { actions: ["*/write"], notActions: [] },
    ];
    await provider().verify(target);
    expect(fake.orders).toEqual([]);
  });

  it("finds out that the application may only read", async () => {
    fake.permissions = [{ actions: ["*/read"], notActions: [] }];
    await expect(provider().verify(target)).rejects.toMatchObject({
      code: "unauthorised",
      message: expect.stringContaining("lacks Microsoft.Compute/virtualMachines/start/action, "),
    });
  });

  it.each<[string, { actions: string[]; notActions?: string[] }[]]>([
    ["what is taken out", [{ actions: ["*"], notActions: ["Microsoft.Compute/virtualMachines/delete"] }]],
    [
      "what only begins like it",
      [{ actions: [...all.slice(0, 3), "Microsoft.Compute/virtualMachines/del"] }],
    ],
    ["what only ends like it", [{ actions: [...all.slice(0, 3), "virtualMachines/delete"] }]],
    ["what overlaps", [{ actions: [...all.slice(0, 3), "Microsoft.Compute/virtualMachines/delete*delete"] }]],
    ["nothing", []],
  ])("does not count %s as allowed", async (_, permissions) => {
    fake.permissions = permissions;
    await expect(provider().verify(target)).rejects.toMatchObject({ code: "unauthorised" });
  });

  it("finds out that it may take no snapshots in the machine's group", async () => {
    fake.groupPermissions = [{ actions: ["Microsoft.Compute/virtualMachines/*"], notActions: [] }];
    await expect(provider().verify(target)).rejects.toMatchObject({
      code: "unauthorised",
      message: expect.stringContaining("lacks Microsoft.Compute/snapshots/read"),
    });
  });

  it("leaves open what the application may not ask for", async () => {
    fake.instead = ({ path }) =>
      path.includes("/permissions?") ? fault(403, "AuthorizationFailed", "may not") : undefined;
    await provider().verify(target);
  });

  it("on a machine that is missing says so", async () => {
    fake.machines.clear();
    await expect(provider().verify(target)).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a snapshot", () => {
  it("holds each disk, is found again by a repeated call, and is ready when all of them are", async () => {
    const snapshotId = "my-group/dumont-0a1b-2c3d-1..2";
    expect(await provider().snapshot(target)).toEqual({ snapshotId, done: false });
    expect([...fake.snapshots].map(([name, { body }]) => [name, body])).toEqual([
      [
        "my-group/dumont-0a1b-2c3d-1",
        {
          location: "westeurope",
          tags: { "dumont-machine": "my-group/my-vm", "dumont-disk": "os" },
          properties: {
            creationData: { createOption: "Copy", sourceResourceId: `${idOf(target.ref)}-os` },
            incremental: true,
          },
        },
      ],
      ["my-group/dumont-0a1b-2c3d-2", expect.objectContaining({ location: "westeurope" })],
    ]);
    expect(await provider().snapshot(target)).toEqual({ snapshotId, done: false });
    expect(fake.snapshots.size).toBe(2);
    expect(await provider().snapshotState(snapshotId)).toBe("pending");
    fake.settle();
    Object.assign(fake.snapshots.get("my-group/dumont-0a1b-2c3d-2") ?? {}, { completionPercent: 40 });
    expect(await provider().snapshotState(snapshotId)).toBe("pending");
    Object.assign(fake.snapshots.get("my-group/dumont-0a1b-2c3d-2") ?? {}, { completionPercent: 100 });
    expect(await provider().snapshotState(snapshotId)).toBe("ready");
    Object.assign(fake.snapshots.get("my-group/dumont-0a1b-2c3d-2") ?? {}, { provisioningState: "Failed" });
    expect(await provider().snapshotState(snapshotId)).toBe("failed");
    fake.snapshots.clear();
    await expect(provider().snapshotState(snapshotId)).rejects.toMatchObject({ code: "refused" });
  });

  it.each(["", "snap-1", "g/x-1..", "g/../x-1..2", "g/x-2..3"])(
    "is not asked for by the id %j",
    async (id) => {
      await expect(provider().snapshotState(id)).rejects.toMatchObject({ code: "refused" });
      expect(fake.calls).toEqual([]);
    },
  );

  it.each<[string, object]>([
    ["ephemeral", { osDisk: { name: "os", diffDiskSettings: { option: "Local" } } }],
    ["not managed", { osDisk: { name: "os", vhd: { uri: "https://x.blob.core.windows.net/os.vhd" } } }],
    ["not shown", {}],
  ])("is not taken of a machine whose OS disk is %s", async (_, storageProfile) => {
    machineIs({ more: { storageProfile } });
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unsupported" });
    expect(fake.orders).toEqual([]);
  });
});

describe("the list of machines", () => {
  const list = (after: string | null) => provider().list?.(after);

  it("says of each how it is, what it is and what it belongs to", async () => {
    fake.machines.set("my-group/off", {
      power: "deallocated",
      provisioning: "Succeeded",
      size: "Standard_ND96asr_v4",
    });
    fake.machines.set("my-group/shut-down", {
      power: "stopped",
      provisioning: "Succeeded",
      size: "Standard_D4s_v5",
    });
    fake.machines.set("lab/node", {
      power: "starting",
      provisioning: "Updating",
      size: "Standard_ND128isr_NDR_GB200_v6",
      more: { virtualMachineScaleSet: { id: SCALE_SET } },
    });
    const rest = {
      region: "westeurope",
      createdAt: Date.UTC(2026, 4, 1, 10),
      hourlyCost: null,
      stoppedHourlyCost: null,
      memberOf: null,
    };
    expect(await list(null)).toEqual({
      machines: [
        { ref: "my-group/my-vm", name: "my-vm", state: "running", gpu: "A100", gpus: null, ...rest },
        { ref: "my-group/off", name: "off", state: "stopped", gpu: null, gpus: null, ...rest },
        { ref: "my-group/shut-down", name: "shut-down", state: "running", gpu: null, gpus: 0, ...rest },
        {
          ref: "lab/node",
          name: "node",
          state: "starting",
          gpu: "GB200",
          gpus: null,
          ...rest,
          memberOf: "scale set farm",
        },
      ],
      next: null,
    });
  });

  it("comes in pages, of which any driver can go on with the next", async () => {
    fake.pageSize = 2;
    for (const name of ["b", "c", "d", "e"]) {
      fake.machines.set(`my-group/${name}`, {
        power: "deallocated",
        provisioning: "Succeeded",
        size: "Standard_NV6",
      });
    }
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof list>> = await list(after);
      if (page === undefined) throw new Error("no list");
      seen.push(...page.machines.map(({ ref, state }) => `${ref} ${state}`));
      after = page.next;
    } while (after !== null);
    expect(seen).toEqual([
      "my-group/my-vm running",
      "my-group/b stopped",
      "my-group/c stopped",
      "my-group/d stopped",
      "my-group/e stopped",
    ]);
  });

  it.each([
    "https://management.azure.com.evil.example/subscriptions/x",
    `https://evil.example/subscriptions/${SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines`,
    "/../another/providers/Microsoft.Compute/virtualMachines",
    "not a link",
  ])("is not followed to %s", async (link) => {
    answersWith(json(200, { value: [], nextLink: link }));
    await expect(list(null)).rejects.toMatchObject({ code: "unavailable" });
    fake.calls.length = 0;
    await expect(list(link)).rejects.toMatchObject({ code: "unavailable" });
    expect(fake.calls).toEqual([]);
  });

  it.each(["the machines", "their states"])("that leads to itself is an error, in %s", async (which) => {
    const { management } = fake.urls;
    fake.instead = ({ path }) =>
      path.includes("/virtualMachines?") && path.includes("statusOnly") === (which === "their states")
        ? json(200, { value: [], nextLink: `${management}${path}` })
        : undefined;
    const walked = async () => {
      let after: string | null = null;
      for (let pages = 0; pages < 5; pages++) after = (await list(after))?.next ?? null;
    };
    await expect(walked()).rejects.toMatchObject({ message: "the list does not go on" });
    expect(fake.calls.length).toBeLessThan(10);
  });

  it("does not hand on a link that leads elsewhere", async () => {
    fake.instead = ({ path }) =>
      path.includes("/virtualMachines?") && !path.includes("statusOnly")
        ? json(200, { value: [], nextLink: "https://evil.example/" })
        : undefined;
    await expect(list(null)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("drops no machine whose state or description is not understood", async () => {
    machineIs({ power: null });
    fake.machines.set("my-group/odd", {
      power: "running",
      provisioning: "Succeeded",
      size: "Standard_NV6",
      more: { hardwareProfile: 7 },
    });
    expect(await list(null)).toMatchObject({
      machines: [
        { ref: "my-group/my-vm", state: "unknown", gpu: "A100" },
        { ref: "my-group/odd", state: "unknown", name: null, gpu: null, gpus: null },
      ],
    });
  });

  it.each<[string, Reply]>([
    ["an object", json(200, {})],
    ["a page", { status: 200, body: "<html></html>" }],
    ["something without an id", json(200, { value: [{}] })],
    ["a failure", { status: 503, body: "" }],
  ])("that is answered with %s is an error", async (_, reply) => {
    answersWith(reply);
    await expect(list(null)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("is an error when the states can't be read", async () => {
    fake.instead = ({ path }) => (path.includes("statusOnly") ? { status: 503, body: "" } : undefined);
    await expect(list(null)).rejects.toMatchObject({ code: "unavailable" });
  });
});
