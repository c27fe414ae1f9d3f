import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { webhook } from "../../../src/providers/webhook/driver.ts";
import { FakeHttp, type Reply } from "../../outside/http.ts";

/** A user's own control plane. What is signed, and how, test/outbound/call.test.ts says. */

const secret = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
const target = { ref: "racks/a/7", instanceId: "rig", actionId: "a-1" };

let reply: Reply;
let fake: FakeHttp;

beforeAll(async () => {
  fake = await FakeHttp.start(() => reply);
});
afterAll(() => fake.stop());
beforeEach(() => {
  fake.calls.length = 0;
});

const provider = () => webhook({ url: `${fake.url}/orders`, secret }, true);
const says = (value: unknown, status = 200) => {
  reply = { status, body: JSON.stringify(value) };
};

describe("a control plane", () => {
  it("is told which machine, and an order keeps its id when it is repeated", async () => {
    says({ status: "done" });
    expect(await provider().hibernate(target)).toBe("done");
    expect(await provider().hibernate(target)).toBe("done");
    expect(fake.calls.map(({ headers }) => headers["webhook-id"])).toEqual([
      "a-1-hibernate",
      "a-1-hibernate",
    ]);
    expect(JSON.parse(fake.calls[0]?.body ?? "")).toMatchObject({
      type: "instance.hibernate",
      data: { action_id: "a-1", instance_id: "rig", provider_ref: "racks/a/7" },
    });
  });

  it.each(["", "ok", "{}", '{"status":"accepted"}', '{"status":"accepted","snapshot_id":7}'])(
    "accepts with a 2xx and %j",
    async (body) => {
      reply = { status: 202, body };
      expect(await provider().wake(target)).toBe("accepted");
      expect(await provider().snapshot(target)).toEqual({ snapshotId: null, done: false });
    },
  );

  it("has accepted nothing when it names another status", async () => {
    says({ status: "failed" });
    await expect(provider().delete(target)).rejects.toMatchObject({
      code: "refused",
      message: 'the webhook answered 200: {"status":"failed"}',
    });
  });

  it.each([
    [{ state: "running" }, { state: "running", gpus: null, obstacle: null }],
    [
      { state: "running", gpus: 0 },
      { state: "running", gpus: 0, obstacle: null },
    ],
    [
      { state: "stopped", obstacle: "on loan" },
      { state: "stopped", gpus: null, obstacle: "on loan" },
    ],
    [{ state: "gone" }, { state: "terminated" }],
    [{ state: "unknown" }, { state: "unknown", because: "the webhook does not know" }],
    [{ state: "terminated" }, { state: "unknown", because: "the webhook's answer names no state" }],
    [{}, { state: "unknown", because: "the webhook's answer names no state" }],
    ["", { state: "unknown", because: "the webhook's answer names no state" }],
  ])("that answers %o shows %o", async (answer, sighting) => {
    says(answer);
    expect(await provider().status(target)).toEqual(sighting);
  });

  it.each([404, 410, 405, 302])("that answers %i shows nothing, and refuses an order", async (status) => {
    // Not even with the word: it stands in an error.
    says({ state: "gone" }, status);
    expect(await provider().status(target)).toMatchObject({ state: "unknown" });
    await expect(provider().delete(target)).rejects.toMatchObject({ code: "refused", isPassing: false });
  });

  it.each([
    [401, "unauthorised"],
    [429, "rate_limited"],
    [503, "unavailable"],
  ])("that answers %i is %s, for a look as for an order", async (status, code) => {
    says({}, status);
    await expect(provider().status(target)).rejects.toMatchObject({ code });
    await expect(provider().hibernate(target)).rejects.toMatchObject({ code });
    await expect(provider().verify(null)).rejects.toMatchObject({ code });
  });

  it("is tried with a ping, which names the machine where there is one", async () => {
    says({});
    await provider().verify(null);
    await provider().verify(target);
    expect(fake.calls.map(({ body }) => JSON.parse(body))).toMatchObject([
      { type: "instance.ping", data: {} },
      { type: "instance.ping", data: { provider_ref: "racks/a/7" } },
    ]);
  });
});
