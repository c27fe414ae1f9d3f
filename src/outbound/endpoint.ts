import { z } from "zod";
import { text } from "../lifecycle/model/words/say.ts";
import { readSettings, type Vars } from "../platform/settings.ts";
import { refuseUrl } from "./public-url.ts";

/** What users may enter as the URL of a webhook, and as the secret that signs what is sent there. */

export function publicUrlSchema(allowLoopback: boolean) {
  return z
    .string()
    .max(2000)
    .superRefine((url, context) => {
      const refusal = refuseUrl(url, allowLoopback);
      if (refusal !== null) context.addIssue({ code: "custom", message: refusal });
    });
}

/** 24 to 64 bytes: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export const webhookSecretSchema = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,128}={0,2}$/, text("must.be_webhook_secret"));

/** Whether users may enter URLs of this machine itself. Only for local tests. */
export function allowsLoopback(env: Vars): boolean {
  return readSettings(env).ALLOW_LOOPBACK_URLS;
}
