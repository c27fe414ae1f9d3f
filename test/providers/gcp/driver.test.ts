import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { gcpCredentialsSchema } from "../../../src/providers/gcp/credentials.ts";
import { gcp } from "../../../src/providers/gcp/driver.ts";
import { mayBeUnlisted } from "../../../src/providers/listing.ts";
import type { ListedMachine, MachinePage } from "../../../src/providers/provider.ts";
import { anInstance, fault, GoogleFake, json, notFound, REF, ZONE } from "./fake.ts";
import { keyFile, PROJECT_ID } from "./key.ts";
import { ALL_PERMISSIONS } from "./permissions.ts";

const target = { ref: REF, instanceId: "rig", actionId: "0a1b-2c3d" };

let google: GoogleFake;

beforeAll(async () => {
  google = await GoogleFake.start();
});
afterAll(() => google.stop());
beforeEach(() => google.reset());
afterEach(() => {
  vi.useRealTimers();
});

const credentials = gcpCredentialsSchema.parse(keyFile);
const provider = (other: Partial<typeof credentials> = {}) =>
  gcp({ ...credentials, ...other }, google.addresses);
const instanceIs = (fields: Partial<ReturnType<typeof anInstance>>) =>
  google.instances.set(REF, anInstance(fields));
const tokenCalls = () => google.calls.filter(({ path }) => path === "/token");
const isOrder = ({ method, path }: { method: string; path: string }) =>
  method === "DELETE" || (method === "POST" && /\/(stop|start|resume|machineImages)(\?|$)/.test(path));
const orders = () => google.calls.filter(isOrder);
const queryOf = (path: string | undefined) => new URL(path ?? "", "http://x").searchParams;

describe("a service account's key", () => {
  it("is pasted as the file has it, and only what is used is kept", () => {
    expect(credentials).toEqual({
      client_email: keyFile.client_email,
      private_key: keyFile.private_key,
      project_id: PROJECT_ID,
    });
    // What is kept is read by the same schema.
    expect(gcpCredentialsSchema.parse(credentials)).toEqual(credentials);
  });

  it.each([
    ["with its line breaks escaped", keyFile.private_key.replaceAll("\n", "\\n")],
    ["in one line", keyFile.private_key.replaceAll("\n", "")],
    ["with the line breaks of Windows", keyFile.private_key.replaceAll("\n", "\r\n")],
  ])("works %s", async (_, private_key) => {
    const { private_key: key } = gcpCredentialsSchema.parse({ ...keyFile, private_key });
    expect(await provider({ private_key: key }).status(target)).toMatchObject({ state: "running" });
  });

  it.each([
    ["another token endpoint", { token_uri: "https://evil.example.com/token" }],
    ["Google's endpoint without TLS", { token_uri: "http://oauth2.googleapis.com/token" }],
    ["another universe", { universe_domain: "evil.example.com" }],
    ["another kind of credentials", { type: "authorized_user" }],
    ["a project that leads elsewhere", { project_id: "a/../../b12345" }],
    ["a person's address", { client_email: "ada@example.com" }],
    ["no PEM", { private_key: "x".repeat(2000) }],
    ["another PEM", { private_key: keyFile.private_key.replaceAll("PRIVATE", "PUBLIC") }],
    [
      "a PEM that is cut off",
      { private_key: "-----BEGIN PRIVATE KEY-----\nAAAAA\n-----END PRIVATE KEY-----\n" },
    ],
    ["a field that no key has", { region: "us-central1" }],
  ])("with %s is refused", (_, fields) => {
    expect(gcpCredentialsSchema.safeParse({ ...keyFile, ...fields }).success).toBe(false);
  });

  it("of an older file names an older endpoint of Google's", () => {
    const token_uri = "https://accounts.google.com/o/oauth2/token";
    expect(gcpCredentialsSchema.safeParse({ ...keyFile, token_uri }).success).toBe(true);
  });

  it("that can't be read says so, without quoting it", async () => {
    const private_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    await expect(provider({ private_key }).status(target)).rejects.toMatchObject({
      code: "unauthorised",
      message: "the private key can't be read",
    });
  });

  it("gets one token for many calls, also for those at the same time", async () => {
    const one = provider();
    await Promise.all([one.status(target), one.status(target), one.list?.(null)]);
    await one.hibernate(target);
    expect(tokenCalls()).toHaveLength(1);
  });

  it("gets another token before the first one ends, and after Google has refused it", async () => {
    google.tokenSeconds = 120;
    const one = provider();
    await one.status(target);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    await one.status(target);
    expect(tokenCalls()).toHaveLength(2);
    google.revokeTokens();
    await expect(one.status(target)).rejects.toMatchObject({ code: "unauthorised" });
    expect(await one.status(target)).toMatchObject({ state: "running" });
    expect(tokenCalls()).toHaveLength(3);
  });

  it("that was revoked says so; a request that failed is not kept", async () => {
    google.isKeyRevoked = true;
    const one = provider();
    await expect(one.status(target)).rejects.toMatchObject({
      code: "unauthorised",
      message: "Google's token endpoint answered 400: invalid_grant: Invalid JWT Signature.",
    });
    google.isKeyRevoked = false;
    expect(await one.status(target)).toMatchObject({ state: "running" });
  });

  it.each([
    ["a page", { status: 200, body: "<html>Sign in to the Wi-Fi</html>" }, "unavailable"],
    ["an empty answer", json(200, {}), "unavailable"],
    [
      "a token that no header can carry",
      json(200, { access_token: "a\nb", expires_in: 1, token_type: "Bearer" }),
      "unavailable",
    ],
    ["a fault of its own", json(500, { error: "internal_failure" }), "unavailable"],
    ["too many requests", { status: 429, body: "", headers: { "Retry-After": "7" } }, "rate_limited"],
  ])("for which the endpoint answers with %s is not called good", async (_, reply, code) => {
    google.instead = (_call, path) => (path === "token" ? reply : undefined);
    await expect(provider().status(target)).rejects.toMatchObject({
      code,
      isPassing: true,
      message: expect.stringMatching(/^Google's token endpoint answered /),
    });
    expect(google.calls.map(({ path }) => path)).toEqual(["/token"]);
  });
});

describe("Compute Engine", () => {
  it("is told to stop and to start by operations, and shows it", async () => {
    expect(await provider().status(target)).toEqual({ state: "running", gpus: 2, obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(orders()).toMatchObject([{ method: "POST", path: expect.stringContaining(`${REF}/stop?`) }]);
    expect(await provider().status(target)).toMatchObject({ state: "stopped" });
    expect(await provider().wake(target)).toBe("accepted");
    expect(await provider().status(target)).toMatchObject({ state: "running", gpus: 2 });
    expect(await provider().forceHibernate(target)).toBe("accepted");
    expect(queryOf(orders().at(-1)?.path).get("noGracefulShutdown")).toBe("true");
    expect(google.done).toEqual(["stop", "start", "stop"]);
    for (const { path } of orders()) expect(path).not.toContain("discardLocalSsd");
  });

  it("knows a repeated order by its request id, so one whose answer was lost acts once", async () => {
    await provider().hibernate(target);
    // Somebody starts it by hand, and the workflow, which has lost the answer, tries again.
    instanceIs({});
    expect(await provider().hibernate(target)).toBe("accepted");
    expect(google.done).toEqual(["stop"]);
    expect(await provider().status(target)).toMatchObject({ state: "running" });
    await provider().hibernate({ ...target, actionId: "another" });
    expect(google.done).toEqual(["stop", "stop"]);
    const ids = orders().map(({ path }) => queryOf(path).get("requestId"));
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(2);
  });

  it("does not delete a machine that was made under the same name after the deletion", async () => {
    await provider().delete(target);
    instanceIs({ id: "99" });
    await provider().delete(target);
    expect(google.done).toEqual(["delete"]);
    expect(google.instances.has(REF)).toBe(true);
  });

  it.each([
    ["TERMINATED", "done"],
    ["STOPPED", "done"],
    ["SUSPENDED", "done"],
    ["STOPPING", "accepted"],
    ["SUSPENDING", "accepted"],
    ["PENDING_STOP", "accepted"],
  ])("is asked for nothing more when a machine to be stopped is %s", async (status, progress) => {
    instanceIs({ status });
    expect(await provider().hibernate(target)).toBe(progress);
    expect(orders()).toEqual([]);
  });

  it("cuts a graceful shutdown short by force", async () => {
    instanceIs({ status: "PENDING_STOP" });
    expect(await provider().forceHibernate(target)).toBe("accepted");
    expect(google.done).toEqual(["stop"]);
    for (const status of ["TERMINATED", "SUSPENDED"]) {
      instanceIs({ status });
      expect(await provider().forceHibernate(target)).toBe("done");
    }
    instanceIs({ status: "STOPPING" });
    expect(await provider().forceHibernate(target)).toBe("accepted");
    expect(orders()).toHaveLength(1);
  });

  it("resumes what was suspended, and waits for what is just being stopped", async () => {
    instanceIs({ status: "SUSPENDED" });
    expect(await provider().wake(target)).toBe("accepted");
    expect(google.done).toEqual(["resume"]);
    for (const status of ["STOPPING", "SUSPENDING", "PENDING_STOP"]) {
      instanceIs({ status });
      await expect(provider().wake(target)).rejects.toMatchObject({ code: "unavailable", isPassing: true });
    }
    for (const status of ["PROVISIONING", "STAGING", "RUNNING", "REPAIRING"]) {
      instanceIs({ status });
      expect(await provider().wake(target)).toBe("accepted");
    }
    expect(orders()).toHaveLength(1);
  });

  it.each([
    ["PENDING", "starting"],
    ["PROVISIONING", "starting"],
    ["STAGING", "starting"],
    ["RUNNING", "running"],
    // Still billed, for as long as its graceful shutdown may take.
    ["PENDING_STOP", "stopping"],
    ["STOPPING", "stopping"],
    ["SUSPENDING", "stopping"],
    ["DEPROVISIONING", "stopping"],
    ["TERMINATED", "stopped"],
    ["STOPPED", "stopped"],
    ["SUSPENDED", "stopped"],
    ["REPAIRING", "unknown"],
    ["DREAMING", "unknown"],
  ])("with an instance that is %s shows it as %s", async (status, state) => {
    instanceIs({ status });
    const sighting = await provider().status(target);
    expect(sighting).toMatchObject({ state });
    if (sighting.state === "unknown") expect(sighting.because).toContain(status);
  });

  const cpuType = `zones/${ZONE}/machineTypes/n2-standard-8`;
  it.each([
    ["with none", { guestAccelerators: [], machineType: cpuType }, 0],
    ["with none and no list", { guestAccelerators: undefined, machineType: cpuType }, 0],
    ["of a type that comes with GPUs, which are not listed", { guestAccelerators: undefined }, null],
    ["whose number is not said", { guestAccelerators: [{ acceleratorType: "x" }] }, null],
    ["of two kinds", { guestAccelerators: [{ acceleratorCount: 1 }, { acceleratorCount: 3 }] }, 4],
  ])("counts the GPUs of an instance %s", async (_, fields, gpus) => {
    instanceIs(fields);
    expect(await provider().status(target)).toMatchObject({ state: "running", gpus });
  });

  it.each([
    [
      "that a managed instance group made",
      {
        metadata: {
          items: [
            {
              key: "created-by",
              value: `projects/123456/zones/${ZONE}/instanceGroupManagers/trainers`,
            },
          ],
        },
      },
      /managed instance group trainers, which would repair or replace it/,
    ],
    [
      "with local SSDs",
      { disks: [{ type: "PERSISTENT" }, { type: "SCRATCH" }] },
      /local SSDs, and a stop would erase them/,
    ],
    [
      "on a reservation",
      {
        resourceStatus: {
          reservationConsumptionInfo: {
            consumedReservation: `projects/p/zones/${ZONE}/reservations/block-7`,
          },
        },
      },
      /reservation block-7, which is billed whether it runs or not/,
    ],
    [
      "made for one reservation",
      {
        reservationAffinity: {
          consumeReservationType: "SPECIFIC_RESERVATION",
          key: "compute.googleapis.com/reservation-name",
          values: ["block-8"],
        },
      },
      /reservation block-8/,
    ],
    [
      "on a sole-tenant node",
      { scheduling: { nodeAffinities: [{ key: "compute.googleapis.com/node-group-name", operator: "IN" }] } },
      /sole-tenant node/,
    ],
  ])("does not stop an instance %s, and says why", async (_, fields, obstacle) => {
    instanceIs(fields);
    expect(await provider().status(target)).toMatchObject({
      state: "running",
      obstacle: expect.stringMatching(obstacle),
    });
    for (const stop of [provider().hibernate, provider().forceHibernate]) {
      await expect(stop(target)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringMatching(obstacle),
      });
    }
    expect(orders()).toEqual([]);
  });

  it.each([
    [
      "a spot instance",
      { scheduling: { preemptible: true, provisioningModel: "SPOT", instanceTerminationAction: "STOP" } },
    ],
    ["one that somebody's tool made", { metadata: { items: [{ key: "created-by", value: "terraform" }] } }],
    [
      "one that may use any reservation, and uses none",
      { reservationAffinity: { consumeReservationType: "ANY_RESERVATION" } },
    ],
    ["one that is protected from deletion", { deletionProtection: true }],
  ])("stops %s", async (_, fields) => {
    instanceIs(fields);
    expect(await provider().status(target)).toMatchObject({ obstacle: null });
    expect(await provider().hibernate(target)).toBe("accepted");
  });

  it("deletes; what it then does not show is missing, by its own word alone", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(orders()).toMatchObject([
      { method: "DELETE", path: expect.stringContaining(`${REF}?requestId=`) },
    ]);
    expect(await provider().status(target)).toEqual({ state: "missing" });
    for (const order of [provider().delete, provider().hibernate, provider().wake, provider().verify]) {
      await expect(order(target)).rejects.toMatchObject({ code: "not_found", isPassing: false });
    }
  });

  it.each([
    ["is protected from deletion", { deletionProtection: true }, "its deletion protection is on"],
    [
      "belongs to a managed instance group",
      {
        metadata: {
          items: [{ key: "created-by", value: "projects/1/regions/us-central1/instanceGroupManagers/web" }],
        },
      },
      expect.stringContaining("managed instance group web"),
    ],
  ])("neither deletes nor takes a snapshot of what %s", async (_, fields, message) => {
    instanceIs(fields);
    for (const order of [provider().delete, provider().snapshot]) {
      await expect(order(target)).rejects.toMatchObject({ code: "refused", message });
    }
    expect(orders()).toEqual([]);
  });

  it("takes a machine image, and finds it again when the order is repeated", async () => {
    instanceIs({ status: "TERMINATED" });
    const { snapshotId, done } = await provider().snapshot(target);
    expect(done).toBe(false);
    expect(snapshotId).toMatch(/^projects\/gpu-lab-1234\/global\/machineImages\/dumont-[0-9a-f-]{36}$/);
    expect(JSON.parse(orders()[0]?.body ?? "")).toMatchObject({
      name: snapshotId?.slice(snapshotId.lastIndexOf("/") + 1),
      sourceInstance: REF,
    });
    expect(await provider().snapshot(target)).toEqual({ snapshotId, done });
    // Google remembers a request id for some time only.
    google.instead = (call) =>
      isOrder(call) ? fault(409, "alreadyExists", `The resource '${snapshotId}' already exists`) : undefined;
    expect(await provider().snapshot(target)).toEqual({ snapshotId, done });
    expect(google.done).toEqual(["machineImage"]);
    expect(google.images.size).toBe(1);
  });

  it.each([
    ["CREATING", "pending"],
    ["UPLOADING", "pending"],
    ["READY", "ready"],
    ["INVALID", "failed"],
    ["DELETING", "failed"],
    ["DREAMING", "failed"],
  ])("with a machine image that is %s shows it as %s", async (status, state) => {
    const { snapshotId } = await provider().snapshot(target);
    google.images.set(String(snapshotId), { status, sourceInstance: REF });
    expect(await provider().snapshotState(String(snapshotId))).toBe(state);
  });

  it("may not show a new machine image at once, and is asked for no other", async () => {
    const { snapshotId } = await provider().snapshot(target);
    google.images.clear();
    expect(await provider().snapshotState(String(snapshotId))).toBe("pending");
    google.instead = () => ({ status: 404, body: "<html>404</html>" });
    await expect(provider().snapshotState(String(snapshotId))).rejects.toMatchObject({ code: "refused" });
    for (const other of ["ami-1", "projects/other-1234/global/machineImages/x", `${snapshotId}/../../x`]) {
      await expect(provider().snapshotState(other)).rejects.toMatchObject({ code: "refused" });
    }
  });

  it("takes no image that would leave local SSDs out, until they are empty", async () => {
    const disks = [{ type: "SCRATCH" }];
    for (const status of ["RUNNING", "SUSPENDED"]) {
      instanceIs({ disks, status });
      await expect(provider().snapshot(target)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringContaining("local SSDs, which a machine image leaves out"),
      });
    }
    instanceIs({ disks, status: "TERMINATED" });
    await expect(provider().snapshot(target)).resolves.toMatchObject({ done: false });
  });

  it.each([
    ["a proxy's page", { status: 404, body: "<html><h1>404 Not Found</h1></html>" }],
    ["a retired API", { status: 410, body: "Gone" }],
    ["another service's JSON", json(404, { error: "not found" })],
    ["the project, which the account may not see", notFound(`projects/${PROJECT_ID}`)],
    ["the zone", notFound(`projects/${PROJECT_ID}/zones/${ZONE}`)],
    ["another machine", notFound(`${REF}0`)],
    ["a machine whose name begins alike", notFound(REF.slice(0, -2))],
    ["the machine type", notFound(`projects/${PROJECT_ID}/zones/${ZONE}/machineTypes/a9`)],
    ["the machine, with another status", { ...notFound(REF), status: 410 }],
    [
      "the machine, from further behind",
      json(404, { error: { code: 502, message: `'${REF}'`, errors: [{ reason: "notFound" }] } }),
    ],
    ["a redirect", { status: 302, body: "", headers: { Location: "/compute/" } }],
    ["a page in place of an instance", { status: 200, body: "<html>Sign in to the Wi-Fi</html>" }],
    ["an empty answer", json(200, {})],
    ["another instance", json(200, anInstance({ name: "trainer-2" }))],
  ])("that says %s is not found has not said that the machine is gone", async (_, reply) => {
    google.instead = (_call, path) => (path === "token" ? undefined : reply);
    const passing = reply.status === 200;
    if (passing) await expect(provider().status(target)).rejects.toMatchObject({ code: "unavailable" });
    else expect(await provider().status(target)).toMatchObject({ state: "unknown" });
    for (const order of [provider().hibernate, provider().wake, provider().delete, provider().snapshot]) {
      await expect(order(target)).rejects.toMatchObject({ code: passing ? "unavailable" : "refused" });
    }
  });

  it.each([
    ["a page", { status: 200, body: "<html></html>" }],
    ["an empty object", json(200, {})],
    ["the instance", json(200, anInstance())],
  ])("that answers an order with %s has not accepted it", async (_, reply) => {
    google.instead = (call) => (isOrder(call) ? reply : undefined);
    for (const order of [provider().hibernate, provider().delete, provider().snapshot]) {
      await expect(order(target)).rejects.toMatchObject({ code: "unavailable" });
    }
  });

  it.each([
    [403, "rateLimitExceeded", "rate_limited"],
    [403, "userRateLimitExceeded", "rate_limited"],
    [403, "quotaExceeded", "no_capacity"],
    [503, "ZONE_RESOURCE_POOL_EXHAUSTED", "no_capacity"],
    [503, "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "no_capacity"],
    [400, "resourceNotReady", "unavailable"],
    [400, "resourceInUseByAnotherResource", "unavailable"],
    [503, "backendError", "unavailable"],
    [429, "aReasonOfItsOwn", "rate_limited"],
    [403, "forbidden", "unauthorised"],
    [403, "accessNotConfigured", "unauthorised"],
    [401, "authError", "unauthorised"],
    [400, "badRequest", "refused"],
    [412, "conditionNotMet", "refused"],
  ])("means by %i %s: %s", async (status, reason, code) => {
    instanceIs({ status: "TERMINATED" });
    google.instead = (call) =>
      isOrder(call) ? fault(status, reason, "No.", { "Retry-After": "12" }) : undefined;
    await expect(provider().wake(target)).rejects.toMatchObject({ code, retryAfterSeconds: 12 });
  });

  it.each([
    ["ZONE_RESOURCE_POOL_EXHAUSTED", "no_capacity"],
    ["QUOTA_EXCEEDED", "no_capacity"],
    ["RESOURCE_OPERATION_RATE_EXCEEDED", "rate_limited"],
    ["PERMISSIONS_ERROR", "refused"],
  ])("whose operation has failed already with %s has not accepted the order: %s", async (code, expected) => {
    instanceIs({ status: "TERMINATED" });
    google.operationError = { code, message: "The zone does not have enough resources available." };
    await expect(provider().wake(target)).rejects.toMatchObject({
      code: expected,
      message: `Google could not do it: ${code}: The zone does not have enough resources available.`,
    });
  });

  it("that answers without end is not read to its end", async () => {
    google.instead = (_call, path) =>
      path === "token" ? undefined : { status: 200, body: "x".repeat(5 * 1024 * 1024) };
    await expect(provider().status(target)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("longer than"),
    });
  });

  it("is not called for a machine of another project", async () => {
    const other = { ...target, ref: REF.replace(PROJECT_ID, "other-1234") };
    expect(await provider().status(other)).toMatchObject({
      state: "unknown",
      because: expect.stringContaining("another project"),
    });
    for (const order of [provider().hibernate, provider().wake, provider().delete, provider().verify]) {
      await expect(order(other)).rejects.toMatchObject({ code: "refused" });
    }
    expect(google.calls).toEqual([]);
  });
});

describe("trying the credentials", () => {
  const wanted = ALL_PERMISSIONS.filter(
    // Without the first the list itself is refused; the second is needed only for what its owner suspends.
    (permission) => !["compute.instances.list", "compute.instances.resume"].includes(permission),
  );

  it("changes nothing", async () => {
    await expect(provider().verify(null)).resolves.toBeUndefined();
    await expect(provider().verify(target)).resolves.toBeUndefined();
    expect(google.done).toEqual([]);
    expect(orders()).toEqual([]);
  });

  it.each(wanted)("without %s says that it lacks it", async (permission) => {
    google.granted.delete(permission);
    google.grantedOnProject.delete(permission);
    for (const on of [null, target]) {
      await expect(provider().verify(on)).rejects.toMatchObject({
        code: "unauthorised",
        message: expect.stringContaining(permission),
      });
    }
  });

  it("that may only read is not good enough", async () => {
    google.granted = new Set(["compute.instances.get"]);
    google.grantedOnProject = new Set(["compute.instances.get", "compute.instances.list"]);
    for (const on of [null, target]) {
      await expect(provider().verify(on)).rejects.toMatchObject({ code: "unauthorised" });
    }
  });

  it("that has no permission at all is told so", async () => {
    google.grantedOnProject.clear();
    await expect(provider().verify(null)).rejects.toMatchObject({ code: "unauthorised" });
  });

  it("goes on where the project's permissions can't be asked for", async () => {
    google.instead = (_call, path) =>
      path.endsWith(":testIamPermissions")
        ? json(403, {
            error: {
              code: 403,
              message: "Cloud Resource Manager API has not been used in project 1 before or it is disabled.",
              status: "PERMISSION_DENIED",
              details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "SERVICE_DISABLED" }],
            },
          })
        : undefined;
    await expect(provider().verify(null)).resolves.toBeUndefined();
    await expect(provider().verify(target)).resolves.toBeUndefined();
    google.granted.delete("compute.instances.stop");
    await expect(provider().verify(target)).rejects.toMatchObject({ code: "unauthorised" });
  });

  it("behind a page that says yes to everything is not good", async () => {
    google.instead = (_call, path) =>
      path === "token" ? undefined : { status: 200, body: "<html>Sign in to the Wi-Fi</html>" };
    for (const on of [null, target]) {
      await expect(provider().verify(on)).rejects.toMatchObject({ code: "unavailable" });
    }
  });
});

describe("listing", () => {
  const list = async (): Promise<ListedMachine[]> => {
    const machines: ListedMachine[] = [];
    let next: string | null = null;
    do {
      const page: MachinePage | undefined = await provider().list?.(next);
      machines.push(...(page?.machines ?? []));
      next = page?.next ?? null;
    } while (next !== null);
    return machines;
  };

  it("shows each machine by its reference, without a price", async () => {
    expect(await list()).toEqual([
      {
        ref: REF,
        name: "trainer-1",
        state: "running",
        gpu: "A100",
        gpus: 2,
        region: ZONE,
        createdAt: Date.UTC(2026, 9, 1, 9, 3, 4, 567),
        hourlyCost: null,
        stoppedHourlyCost: null,
        memberOf: null,
      },
    ]);
    expect(queryOf(google.calls.at(-1)?.path).get("returnPartialSuccess")).toBe("true");
    google.instances.clear();
    expect(await list()).toEqual([]);
  });

  it("goes through all pages and zones, and marks the members of groups", async () => {
    for (let index = 0; index < 120; index += 1) {
      const name = `worker-${index}`;
      google.instances.set(
        `projects/${PROJECT_ID}/zones/europe-west4-b/instances/${name}`,
        anInstance({
          name,
          status: "SUSPENDED",
          metadata: {
            items: [
              { key: "created-by", value: "projects/1/zones/europe-west4-b/instanceGroupManagers/workers" },
            ],
          },
        }),
      );
    }
    const machines = await list();
    expect(new Set(machines.map(({ ref }) => ref))).toEqual(new Set(google.instances.keys()));
    const members = machines.filter(({ memberOf }) => memberOf === "managed instance group workers");
    expect(members).toHaveLength(120);
    expect(members[0]).toMatchObject({ state: "stopped", region: "europe-west4-b" });
    expect(google.calls.filter(({ path }) => path.includes("/aggregated/"))).toHaveLength(3);
  });

  it("asks for fewer when their metadata makes a page too long", async () => {
    for (let index = 0; index < 10; index += 1) {
      const name = `node-${index}`;
      google.instances.set(
        `projects/${PROJECT_ID}/zones/${ZONE}/instances/${name}`,
        anInstance({ name, metadata: { items: [{ key: "kube-env", value: "x".repeat(500 * 1024) }] } }),
      );
    }
    expect((await list()).map(({ ref }) => ref)).toEqual([...google.instances.keys()].sort());
  });

  it.each([
    ["a machine that it does not understand", { name: "odd-1", status: 7 }, "odd-1", "unknown"],
    ["a state that it does not know", anInstance({ name: "odd-2", status: "DREAMING" }), "odd-2", "unknown"],
  ])("keeps %s", async (_, instance, name, state) => {
    google.instead = (_call, path) =>
      path.includes("/aggregated/")
        ? json(200, {
            kind: "compute#instanceAggregatedList",
            items: { [`zones/${ZONE}`]: { instances: [instance, anInstance()] } },
          })
        : undefined;
    expect(await list()).toMatchObject([
      { ref: `projects/${PROJECT_ID}/zones/${ZONE}/instances/${name}`, state },
      { ref: REF, state: "running" },
    ]);
  });

  const items = { [`zones/${ZONE}`]: { instances: [anInstance()] } };
  const kind = "compute#instanceAggregatedList";
  it.each([
    ["is an empty object", {}, "not understood"],
    ["is of another kind", { kind: "compute#instanceList", items }, "not understood"],
    ["has a scope that is no zone", { kind, items: { "../x": { instances: [anInstance()] } } }, "no zone"],
    [
      "holds a machine without a name",
      { kind, items: { "zones/a-b": { instances: [{}] } } },
      "without a name",
    ],
  ])("that %s is an error, so that no machine looks as if it had vanished", async (_, body, words) => {
    google.instead = (_call, path) => (path.includes("/aggregated/") ? json(200, body) : undefined);
    await expect(list()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(words),
    });
  });

  const unreached = { warning: { code: "UNREACHABLE" } };
  it.each([
    ["names it as unreachable", { items, unreachables: ["zones/europe-west4-b"] }],
    ["names it by its path", { items, unreachables: [`projects/${PROJECT_ID}/zones/europe-west4-b`] }],
    ["warns of it", { items: { ...items, "zones/europe-west4-b": unreached } }],
    [
      "does both",
      { items: { ...items, "zones/europe-west4-b": unreached }, unreachables: ["zones/europe-west4-b"] },
    ],
  ])("of all zones but one says so, where Google %s: its machines have not vanished", async (_, body) => {
    google.instead = (_call, path) =>
      path.includes("/aggregated/") ? json(200, { kind, ...body }) : undefined;
    const page = await provider().list?.(null);
    expect(page).toMatchObject({ machines: [{ ref: REF }], next: null });
    expect(page?.unlisted).toEqual([
      { name: "europe-west4-b", refPrefix: `projects/${PROJECT_ID}/zones/europe-west4-b/` },
    ]);
    expect(mayBeUnlisted(page?.unlisted, REF)).toBe(false);
    expect(mayBeUnlisted(page?.unlisted, REF.replace(ZONE, "europe-west4-b"))).toBe(true);
    await expect(provider().verify(null)).resolves.toBeUndefined();
  });

  it("leaves open which zones are missing where Google does not name them", async () => {
    for (const body of [
      { items, warning: { code: "PARTIAL_SUCCESS" } },
      { items, unreachables: ["regions/x"] },
    ]) {
      google.instead = (_call, path) =>
        path.includes("/aggregated/") ? json(200, { kind, ...body }) : undefined;
      expect(mayBeUnlisted((await provider().list?.(null))?.unlisted, REF)).toBe(true);
    }
  });

  it("that leads to itself is an error", async () => {
    google.instead = (_call, path) =>
      path.includes("/aggregated/") ? json(200, { kind, items: {}, nextPageToken: "again" }) : undefined;
    await expect(list()).rejects.toMatchObject({ code: "unavailable", message: "the list does not go on" });
  });

  it("goes on past a scope that is no zone, and holds nothing", async () => {
    const empty = { warning: { code: "NO_RESULTS_ON_PAGE" } };
    google.instead = (_call, path) =>
      path.includes("/aggregated/")
        ? json(200, { kind, items: { ...items, "regions/x": empty } })
        : undefined;
    const page = await provider().list?.(null);
    expect(page).toEqual({ machines: [expect.objectContaining({ ref: REF })], next: null });
  });

  it("that is refused says so, and is not asked for twice", async () => {
    google.instead = (_call, path) =>
      path.includes("/aggregated/")
        ? fault(403, "forbidden", "Required 'compute.instances.list' permission")
        : undefined;
    await expect(list()).rejects.toMatchObject({ code: "unauthorised" });
    expect(google.calls.filter(({ path }) => path.includes("/aggregated/"))).toHaveLength(1);
  });
});
