import { afterEach, describe, expect, it, vi } from "vitest";
import { discord } from "../../../src/alerts/channels/discord.ts";
import { ntfy } from "../../../src/alerts/channels/ntfy.ts";
import { pagerduty } from "../../../src/alerts/channels/pagerduty.ts";
import { slack } from "../../../src/alerts/channels/slack.ts";
import { teams } from "../../../src/alerts/channels/teams.ts";
import { telegram } from "../../../src/alerts/channels/telegram.ts";
import { composeNotice } from "../../../src/alerts/notice.ts";
import { alert } from "../alert.ts";
import { linksOf, MESSAGE_ID } from "./notices.ts";

afterEach(() => vi.restoreAllMocks());

const url = "https://hooks.example.com/api/webhooks/1/secret";

const CHANNELS = {
  slack: slack({ url }, false),
  discord: discord({ url }, false),
  teams: teams({ url }, false),
  telegram: telegram({ token: "1", chat_id: "1" }, false),
  ntfy: ntfy({ server: "https://ntfy.example.com", topic: "t" }, false),
  pagerduty: pagerduty({ routing_key: "r".repeat(32), region: "us" }, "u/c", false),
};

/** Enough alike that some are only counted. */
const MANY = Array.from({ length: 12 }, (_, index) =>
  alert("idle", index, { detail: { rate: 0.4, step_at: "2025-12-19T01:00:00Z" } }),
);

async function bodyOf(channel: keyof typeof CHANNELS, language: "en" | "pt-BR"): Promise<string> {
  const notice = composeNotice(MANY, "info", false, { language, timeZone: null });
  if (notice === null) throw new Error("there is something to tell");
  const sent = vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("{}"));
  await CHANNELS[channel].send(notice, linksOf(notice), MESSAGE_ID);
  return String(sent.mock.calls.at(-1)?.[1]?.body);
}

describe.each(Object.keys(CHANNELS).filter((each): each is keyof typeof CHANNELS => each in CHANNELS))(
  "a message to %s",
  (channel) => {
    it("is in one language, whatever the channel puts beside it", async () => {
      const portuguese = await bodyOf(channel, "pt-BR");
      expect(portuguese).toMatch(/Manter (Rig \d+ )?viva/);
      expect(portuguese).toContain("Ela custa US$ 0,40");
      expect(portuguese).not.toMatch(/Keep |Open the| more\b|It costs|instances [a-z]/);
      expect(await bodyOf(channel, "en")).not.toMatch(/Manter|Abrir|Ela custa|instância/);
    });
  },
);
