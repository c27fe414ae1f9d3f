import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { email } from "../../src/alerts/channels/email.ts";
import type { Notice } from "../../src/alerts/notice.ts";

afterEach(() => vi.restoreAllMocks());

const notice: Notice = {
  title: "Rig\r\nBcc: everybody@example.com: idle",
  severity: "warning",
  groups: [
    {
      kind: "idle",
      severity: "warning",
      heading: "1 instance idle",
      lines: [
        {
          instanceId: "rig",
          name: "<b>Rig</b>",
          message: "GPU <5% utilization",
          money: { rate: 0.4 },
          moneyText: "It costs $0.40 an hour.",
          at: 0,
          keepAlive: { registeredAt: 0, until: 1 },
          eventId: "e1",
        },
      ],
      more: 3,
    },
  ],
};

it("goes by Cloudflare where no SMTP server is configured, as one message of text and HTML", async () => {
  const send = vi.fn().mockResolvedValue({ messageId: "m-1" });
  const channel = email(
    { to: "ada@example.com" },
    { ...env, MAIL_FROM: "alerts@example.com", EMAIL: { send } },
  );
  const links = {
    origin: "https://dumont.example",
    keepAlive: new Map([["e1", "https://dumont.example/keep-alive/x?a=1&b=2"]]),
  };
  expect(await channel.send(notice, links, "m")).toMatchObject({ delivered: true, detail: "taken as m-1" });
  expect(send).toHaveBeenCalledTimes(1);
  const message = send.mock.calls[0]?.[0];
  expect(message).toMatchObject({
    from: "alerts@example.com",
    to: "ada@example.com",
    subject: "[Dumont] Rig Bcc: everybody@example.com: idle",
    text: `1 instance idle
- <b>Rig</b> (rig): GPU <5% utilization
  It costs $0.40 an hour.
  https://dumont.example/#/instances/rig
  Keep it alive: https://dumont.example/keep-alive/x?a=1&b=2
- and 3 more

Open the alerts: https://dumont.example/#/alerts`,
  });
  expect(message.html).toContain(
    '<b><a href="https://dumont.example/#/instances/rig">&lt;b&gt;Rig&lt;/b&gt;</a></b> (rig): GPU &lt;5% utilization<br><i>It costs $0.40 an hour.</i>',
  );
  expect(message.html).not.toContain("<b><b>");
});

it("that Cloudflare refuses says why", async () => {
  const send = vi.fn().mockRejectedValue(new Error("destination address is not verified"));
  const channel = email(
    { to: "ada@example.com" },
    { ...env, MAIL_FROM: "alerts@example.com", EMAIL: { send } },
  );
  expect(
    await channel.send(notice, { origin: "https://dumont.example", keepAlive: new Map() }, "m"),
  ).toMatchObject({
    delivered: false,
    detail: "destination address is not verified",
  });
});
