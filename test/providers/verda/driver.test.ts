import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verda } from "../../../src/providers/verda/driver.ts";
import { FakeHttp, type Reply } from "../../outside/http.ts";
import { expectNoStops, expectNothingConcluded } from "../not-understood.ts";
import {
  BAD_SECRET,
  BAD_TOKEN,
  CREDENTIALS,
  FakeVerda,
  FORBIDDEN_ACTION,
  fault,
  ID,
  instance,
  json,
  NOT_FOUND,
} from "./fake.ts";

const target = { ref: ID, instanceId: "rig", actionId: "a-1" };

let cloud: FakeVerda;
let http: FakeHttp;

beforeAll(async () => {
  http = await FakeHttp.start((call) => cloud.answer(call));
});
afterAll(() => http.stop());
beforeEach(() => {
  cloud = new FakeVerda();
  cloud.put(instance());
  http.calls.length = 0;
});

const provider = (credentials = CREDENTIALS) => verda(credentials, http.url);
const is = (status: string, more = {}) => cloud.put(instance(status, more));
const orders = () => http.calls.filter(({ method }) => method === "PUT");
const isToken = ({ path }: { path: string }) => path === "/oauth2/token";

describe("Verda", () => {
  it("neither stops nor starts an instance, hibernates none, and is not even asked to", async () => {
    await expectNoStops(provider(), target, http.calls, "a hibernation deletes it");
    await expect(provider().snapshot(target)).rejects.toMatchObject({ code: "unsupported" });
    expect(await provider().snapshotState("1")).toBe("failed");
    expect(http.calls).toEqual([]);
  });

  const shown = (state: string) => ({ state, gpus: 2, obstacle: null });
  it.each([
    ["running", shown("running")],
    // It is billed in full.
    ["offline", shown("running")],
    ...["new", "ordered", "pending", "provisioning", "validating", "restoring"].map(
      (status) => [status, shown("starting")] as const,
    ),
    ...["deleting", "hibernating", "starting_hibernation"].map(
      (status) => [status, shown("stopping")] as const,
    ),
    ["discontinued", { state: "terminated" }],
    ["notfound", { state: "unknown", because: "Verda shows it as notfound" }],
    ["error", { state: "unknown", because: "Verda shows it as error" }],
    ["", { state: "unknown", because: "Verda shows it as nothing" }],
  ] as const)("with an instance that is %j shows %o", async (status, sighting) => {
    is(status);
    expect(await provider().status(target)).toEqual(sighting);
  });

  it("says how many GPUs there are, where it does", async () => {
    for (const gpu of [undefined, null, {}, { number_of_gpus: "two" }]) {
      is("running", { gpu });
      expect(await provider().status(target)).toMatchObject({ state: "running", gpus: null });
    }
  });

  it("deletes by order, keeps every volume, and is not told twice", async () => {
    expect(await provider().delete(target)).toBe("accepted");
    expect(orders().map(({ body }) => JSON.parse(body))).toEqual([
      { action: "delete", id: [ID], volume_ids: [] },
    ]);
    expect(cloud.deletedVolumes).toEqual([]);
    expect(await provider().delete(target)).toBe("accepted");
    is("discontinued");
    expect(await provider().delete(target)).toBe("done");
    expect(orders()).toHaveLength(1);
    cloud.instances.clear();
    expect(await provider().status(target)).toEqual({ state: "missing" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "not_found" });
  });

  it("deletes what is shut down, too", async () => {
    is("offline");
    expect(await provider().delete(target)).toBe("accepted");
  });

  it.each([
    ["a proxy's page", { status: 404, body: "<html><h1>404 Not Found</h1></html>" }],
    ["another service's JSON", json(404, { message: "instance not found" })],
    ["its own words with another status", { ...NOT_FOUND, status: 410 }],
    ["its own words behind a 200", { ...NOT_FOUND, status: 200 }],
    ["a redirect", { status: 307, body: "", headers: { Location: "/login" } }],
    ["a page in place of an instance", { status: 200, body: "<html>Sign in</html>" }],
    ["an empty answer", { status: 200, body: "{}" }],
    ["an instance without a status", json(200, { id: ID })],
    ["another instance", json(200, instance("discontinued", { id: "another" }))],
  ])("behind %s is never missing or stopped, and no order counts as heard", async (_, reply: Reply) => {
    cloud.instead = (call) => (isToken(call) ? undefined : reply);
    await expectNothingConcluded(provider(), target, [provider().snapshot]);
  });

  it.each([
    ["{}", 202, "unavailable"],
    ["", 200, "unavailable"],
    ["<html></html>", 202, "unavailable"],
    ["[]", 202, "refused"],
    [JSON.stringify([{ action: "delete", instanceId: "another", status: "success" }]), 202, "refused"],
    [
      JSON.stringify([{ action: "delete", instanceId: ID, status: "error", error: "instance not found" }]),
      207,
      "refused",
    ],
  ])("that answers a deletion with %j has not accepted it", async (body, status, code) => {
    cloud.instead = ({ method }) => (method === "PUT" ? { status, body } : undefined);
    await expect(provider().delete(target)).rejects.toMatchObject({ code });
  });

  it("that says that it is so already has accepted a deletion", async () => {
    cloud.instead = ({ method }) => (method === "PUT" ? { status: 204, body: "" } : undefined);
    expect(await provider().delete(target)).toBe("accepted");
  });

  it.each([
    ["of an action that is not allowed now", FORBIDDEN_ACTION, "refused", null],
    ["without balance", fault(402, "insufficient_funds", "no balance"), "refused", null],
    ["with a key that may not do this", fault(403, "forbidden", "no"), "unauthorised", "call"],
    ["asked too often", { status: 429, body: "", headers: { "Retry-After": "9" } }, "rate_limited", null],
    ["in trouble", fault(503, "service_unavailable", "later"), "unavailable", null],
  ])("%s says so", async (_, reply: Reply, code, denied) => {
    cloud.instead = ({ method }) => (method === "PUT" ? reply : undefined);
    const retryAfterSeconds = reply.status === 429 ? 9 : null;
    await expect(provider().delete(target)).rejects.toMatchObject({ code, denied, retryAfterSeconds });
  });

  it("is tried by looking, on the instance where there is one", async () => {
    for (const on of [null, target]) {
      await expect(provider().verify(on)).resolves.toBeUndefined();
      const other = provider({ ...CREDENTIALS, client_secret: "another-secret" });
      await expect(other.verify(on)).rejects.toMatchObject({ code: "unauthorised", denied: "credentials" });
    }
    expect(orders()).toEqual([]);
  });
});

describe("Verda's access token", () => {
  it("is asked for once, and anew when it is refused", async () => {
    const one = provider();
    await one.status(target);
    await one.list?.(null);
    expect(cloud.tokens).toBe(1);
    cloud.instead = (call) => (isToken(call) ? undefined : BAD_TOKEN);
    await expect(one.status(target)).rejects.toMatchObject({ code: "unauthorised" });
    cloud.instead = () => undefined;
    await one.status(target);
    expect(cloud.tokens).toBe(2);
  });

  it.each([
    ["a page", { status: 200, body: "<html>Sign in</html>" }, "unavailable"],
    ["nothing", json(200, { token_type: "Bearer", expires_in: 3600 }), "unavailable"],
    [
      "a token that no header can carry",
      json(200, { access_token: "a\nb", expires_in: 3600 }),
      "unavailable",
    ],
    ["a refusal", BAD_SECRET, "unauthorised"],
    ["trouble", { status: 502, body: "" }, "unavailable"],
  ])("that is %s opens nothing", async (_, reply: Reply, code) => {
    cloud.instead = (call) => (isToken(call) ? reply : undefined);
    await expect(provider().status(target)).rejects.toMatchObject({ code });
    expect(http.calls.every(isToken)).toBe(true);
  });
});

describe("Verda's list", () => {
  const list = () => provider().list?.(null);

  it("has each instance with what it costs, also while it is shut down", async () => {
    cloud.put(
      instance("offline", {
        id: "2",
        price_per_hour: "1.25",
        gpu: { description: "H100", number_of_gpus: 1 },
      }),
      instance("running", { id: "3", price_per_hour: 0, hostname: null, gpu: null }),
    );
    expect(await list()).toEqual({
      next: null,
      machines: [
        {
          ref: ID,
          name: "trainer",
          state: "running",
          gpu: "H100 SXM5 80GB",
          gpus: 2,
          region: "FIN-03",
          createdAt: Date.UTC(2026, 9, 1, 2, 3, 4),
          hourlyCost: 4.58,
          stoppedHourlyCost: null,
          memberOf: null,
        },
        expect.objectContaining({ ref: "2", state: "running", gpu: "H100", hourlyCost: 1.25 }),
        expect.objectContaining({ ref: "3", name: null, gpus: null, hourlyCost: null }),
      ],
    });
  });

  it("shows an odd instance as unknown, and drops none", async () => {
    cloud.instead = (call) =>
      isToken(call) ? undefined : json(200, [{ id: "odd", status: 7, gpu: 4 }, { id: "bare" }]);
    expect((await list())?.machines).toMatchObject([
      { ref: "odd", state: "unknown", hourlyCost: null },
      { ref: "bare", state: "unknown" },
    ]);
  });

  it.each(["{}", '{"data":[]}', '[{"hostname":"without an id"}]', "<html>Sign in</html>"])(
    "that is %s is not taken for an empty account",
    async (body) => {
      cloud.instead = (call) => (isToken(call) ? undefined : { status: 200, body });
      await expect(list()).rejects.toMatchObject({ code: "unavailable" });
    },
  );
});
