import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CALLED_PROVIDERS, type CalledProvider } from "../../src/lifecycle/model/provider.ts";
import { fleetOf } from "../../src/platform/address.ts";
import { keyFile } from "../providers/gcp/key.ts";
import { ALL_PERMISSIONS } from "../providers/gcp/permissions.ts";
import { call, Instance, newUser } from "../world.ts";

const SECRET = `whsec_${btoa("0123456789abcdef0123456789abcdef")}`;
const GOOD = {
  webhook: { url: "https://plane.example.com/orders", secret: SECRET },
  vast: { api_key: "vast-key-0123456789" },
  runpod: { api_key: "rpa_0123456789" },
  ec2: {
    access_key_id: "AKIAIOSFODNN7EXAMPLE",
    secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    region: "eu-central-1",
  },
  gcp: keyFile,
  azure: {
    tenant_id: "11111111-1111-4111-8111-111111111111",
    client_id: "33333333-3333-4333-8333-333333333333",
    client_secret: "a-secret-0123456789",
    subscription_id: "22222222-2222-4222-8222-222222222222",
  },
  hyperstack: { api_key: "hyperstack-key-0123" },
  scaleway: { secret_key: "22222222-2222-4222-8222-222222222222" },
  tensordock: { api_token: "tensordock-token-0123" },
  lambda: { api_key: "lambda-key-0123456789" },
  digitalocean: { api_token: "dop_v1_0123456789abcdef" },
  verda: { client_id: "Ibk5bdxV64lKAWOqYnvSi", client_secret: "verda-secret-0123456789" },
} satisfies Record<CalledProvider, Record<string, string>>;

/** What each answers to the harmless call by which its credentials are tried. */
const ANSWERS: Readonly<Record<string, string>> = {
  "plane.example": "{}",
  "console.vast.ai": '{"success":true,"instances":[]}',
  "api.runpod.io": '{"pods":[]}',
  "dashboard.tensordock.com": '{"data":{"instances":[]}}',
  "cloud.lambda.ai": '{"data":[]}',
  "api.digitalocean.com": '{"droplets":[]}',
  "api.verda.com": "[]",
  "api.verda.com/v1/oauth2/token": '{"access_token":"token","expires_in":3600}',
  "api.scaleway.com": '{"servers":[],"task":{}}',
  "infrahub-api.nexgencloud.com": '{"status":true,"message":"","instances":[]}',
  "ec2.eu-central-1.amazonaws.com":
    "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>",
  "oauth2.googleapis.com": '{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}',
  "compute.googleapis.com": '{"kind":"compute#instanceAggregatedList","items":{}}',
  "cloudresourcemanager.googleapis.com": JSON.stringify({ permissions: ALL_PERMISSIONS }),
  "login.microsoftonline.com": '{"access_token":"token","expires_in":3599}',
  "management.azure.com": '{"value":[]}',
};

let answer: (host: string) => Response;

beforeEach(() => {
  answer = (host) => new Response(ANSWERS[host]);
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => {
    const { host, pathname } = new URL(input instanceof Request ? input.url : String(input));
    return answer(ANSWERS[`${host}${pathname}`] === undefined ? host : `${host}${pathname}`);
  });
});
afterEach(() => vi.restoreAllMocks());

describe("a provider's credentials", () => {
  it.each(Object.entries(GOOD))("for %s are tried, kept sealed, and never shown", async (kind, json) => {
    const { token, userId } = await newUser();
    expect((await call("GET", `/api/agent/providers/${kind}`, { token })).status).toBe(404);
    const put = await call("PUT", `/api/agent/providers/${kind}`, { token, json });
    expect(put.body).toEqual({ kind, updated_at: expect.any(String) });
    expect(fetch).toHaveBeenCalled();
    expect((await call("GET", `/api/agent/providers/${kind}`, { token })).body).toEqual(put.body);
    const kept = await fleetOf(env, userId).credentials(kind);
    for (const value of Object.values(json)) expect(kept?.sealed).not.toContain(value);
    expect((await call("DELETE", `/api/agent/providers/${kind}`, { token })).status).toBe(200);
    expect((await call("DELETE", `/api/agent/providers/${kind}`, { token })).status).toBe(404);
  });

  it("that do not work are not kept, unless they are not to be tried", async () => {
    const { token } = await newUser();
    answer = () => new Response("bad key", { status: 401 });
    const put = await call("PUT", "/api/agent/providers/vast", { token, json: GOOD.vast });
    expect(put.status).toBe(400);
    expect(put.body.error).toMatchObject({
      code: "not_verified",
      message: "The credentials were tried, and Vast.ai answered 401: bad key",
    });
    expect((await call("GET", "/api/agent/providers/vast", { token })).status).toBe(404);
    const unverified = await call("PUT", "/api/agent/providers/vast?verify=false", {
      token,
      json: GOOD.vast,
    });
    expect(unverified.status).toBe(200);
  });

  it.each(CALLED_PROVIDERS.filter((kind) => kind !== "webhook"))(
    "for %s are not good because a page in between says yes to everything",
    async (kind) => {
      const { token } = await newUser();
      answer = () => new Response("<html>Sign in to the Wi-Fi</html>");
      const put = await call("PUT", `/api/agent/providers/${kind}`, { token, json: GOOD[kind] });
      expect(put.status).toBe(400);
      expect(put.body.error).toMatchObject({
        code: "not_verified",
        message: expect.stringContaining("answered what is not understood"),
      });
    },
  );

  it.each([
    ["webhook", { url: "https://10.0.0.1/", secret: SECRET }, "body.url"],
    ["webhook", { url: "https://plane.example.com/", secret: "whsec_short" }, "body.secret"],
    ["vast", {}, "body.api_key"],
    ["ec2", { ...GOOD.ec2, region: "evil.example.com/" }, "body.region"],
    ["ec2", { ...GOOD.ec2, access_key_id: "x" }, "body.access_key_id"],
    ["gcp", { ...GOOD.gcp, token_uri: "https://evil.example.com/token" }, "body.token_uri"],
    ["gcp", { ...GOOD.gcp, private_key: "x" }, "body.private_key"],
  ])("for %s are refused when they can't be: %o", async (kind, json, path) => {
    const { token } = await newUser();
    const put = await call("PUT", `/api/agent/providers/${kind}`, { token, json });
    expect(put.status).toBe(400);
    expect(put.body.error.issues.map((issue: { path: string }) => issue.path)).toContain(path);
    expect(fetch).not.toHaveBeenCalled();
  });

  it("are not for those that are not called", async () => {
    const { token } = await newUser();
    for (const kind of ["agent", "none", "toaster"]) {
      expect((await call("PUT", `/api/agent/providers/${kind}`, { token, json: {} })).status).toBe(404);
    }
  });

  it("stay while an instance is registered with them", async () => {
    const user = await newUser();
    await call("PUT", "/api/agent/providers/ec2", { token: user.token, json: GOOD.ec2 });
    const machine = { provider: "ec2", provider_ref: "i-1234567890abcdef0" };
    const one = await Instance.register(user, "rig", machine, "?sight=false");
    expect((await one.ask("GET")).body).toMatchObject({
      provider: "ec2",
      provider_ref: "i-1234567890abcdef0",
    });
    expect((await call("DELETE", "/api/agent/providers/ec2", { token: user.token })).status).toBe(409);
    await one.ask("PATCH", "", { provider: "agent" });
    await one.settled();
    expect((await call("DELETE", "/api/agent/providers/ec2", { token: user.token })).status).toBe(200);
  });

  it("of one user are not another's", async () => {
    const ada = await newUser();
    await call("PUT", "/api/agent/providers/vast", { token: ada.token, json: GOOD.vast });
    const eve = await newUser("Eve");
    expect((await call("GET", "/api/agent/providers/vast", { token: eve.token })).status).toBe(404);
    const reply = await call("POST", "/api/agent/instances", {
      token: eve.token,
      json: {
        instance_id: "28864630",
        provider: "vast",
        policy: { orphan: { snapshot_before_delete: false } },
      },
    });
    expect(reply.status).toBe(409);
  });
});

it("a result for an action that is unknown, or somebody else's, is refused", async () => {
  const { token } = await newUser();
  for (const id of ["x", "0123456789abcdef01234567-0123456789abcdef0123456789abcdef01234567", "%20"]) {
    const reply = await call("POST", `/api/agent/actions/${id}/result`, {
      token,
      json: { order: "hibernate", outcome: "succeeded" },
    });
    expect(reply.status).toBe(404);
  }
});
