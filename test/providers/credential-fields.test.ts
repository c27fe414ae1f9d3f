import { expect, it } from "vitest";
import { CALLED_PROVIDERS } from "../../src/lifecycle/model/provider.ts";
import { credentialFields } from "../../src/providers/registry.ts";

it("what credentials consist of is read from their schema, for every provider", () => {
  expect(Object.fromEntries(CALLED_PROVIDERS.map((kind) => [kind, credentialFields(kind)]))).toEqual({
    webhook: ["url", "secret"],
    vast: ["api_key"],
    runpod: ["api_key"],
    ec2: ["access_key_id", "secret_access_key", "region"],
    gcp: [
      "client_email",
      "private_key",
      "project_id",
      "type",
      "private_key_id",
      "client_id",
      "auth_uri",
      "token_uri",
      "auth_provider_x509_cert_url",
      "client_x509_cert_url",
      "universe_domain",
    ],
    azure: ["tenant_id", "client_id", "client_secret", "subscription_id"],
    hyperstack: ["api_key"],
    scaleway: ["secret_key"],
    tensordock: ["api_token"],
    lambda: ["api_key"],
    digitalocean: ["api_token"],
    verda: ["client_id", "client_secret"],
  });
});
