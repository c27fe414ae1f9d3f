import { describe, expect, it } from "vitest";
import { type Alert, composeNotice, noticeSchema } from "../../src/alerts/notice.ts";
import { phrase } from "../../src/lifecycle/model/words/phrase.ts";
import { alert, START } from "./alert.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("one message", () => {
  it("names three orphaned instances under one heading", () => {
    const notice = composeNotice(
      [1, 2, 3].map((index) => alert("orphaned", index)),
      "info",
    );
    expect(notice).toMatchObject({
      title: "3 instances orphaned",
      severity: "warning",
      groups: [
        {
          heading: "3 instances orphaned",
          lines: [{ name: "Rig 1" }, { name: "Rig 2" }, { name: "Rig 3" }],
          more: 0,
        },
      ],
    });
  });

  it("names the first ten of many and counts the rest", () => {
    const many = Array.from({ length: 200 }, (_, index) => alert("orphaned", index));
    const [group] = composeNotice(many, "info")?.groups ?? [];
    expect(group?.lines).toHaveLength(10);
    expect(group?.lines[0]?.name).toBe("Rig 0");
    expect(group?.more).toBe(190);
    expect(group?.heading).toBe("200 instances orphaned");
  });

  it("says of a single alert what it says", () => {
    expect(composeNotice([alert("idle", 1)], "info")?.title).toBe("Rig 1: Message 1");
    const guard = alert("guard_closed", 1, { instanceId: "", severity: "critical", message: "Mass outage" });
    expect(composeNotice([guard], "info")?.title).toBe("Mass outage");
  });

  it("puts the most pressing first", () => {
    const notice = composeNotice(
      [
        alert("hibernated", 1, { severity: "info" }),
        alert("orphaned", 2),
        alert("abandoned", 3, { severity: "critical" }),
      ],
      "info",
    );
    expect(notice?.groups.map((group) => group.kind)).toEqual(["abandoned", "orphaned", "hibernated"]);
    expect(notice?.severity).toBe("critical");
  });

  it("holds what its channel wants, and tells that a state is over where it told the state", () => {
    const recovered = alert("recovered", 1, { severity: "info", detail: { step: "orphaned" } });
    const afterCritical = alert("recovered", 2, { severity: "info", detail: { step: "force_hibernate" } });
    const done = alert("hibernated", 3, { severity: "info" });
    const kinds = (minimum: "info" | "warning" | "critical") =>
      composeNotice([recovered, afterCritical, done], minimum)?.groups.flatMap((group) =>
        group.lines.map((line) => line.instanceId),
      ) ?? [];
    expect(kinds("info")).toHaveLength(3);
    expect(kinds("warning")).toEqual(["rig-1", "rig-2"]);
    expect(kinds("critical")).toEqual(["rig-2"]);
    expect(composeNotice([done], "warning")).toBeNull();
  });

  it("offers a keep-alive link with each warning of a step, until an hour after it", () => {
    const notice = composeNotice(
      [
        alert("idle", 1, { detail: { step_at: "2025-12-19T00:05:00Z" } }),
        alert("recovered", 2, { severity: "info", detail: { step: "orphaned" } }),
      ],
      "info",
    );
    expect(notice?.groups.map((group) => group.lines[0]?.keepAlive)).toEqual([
      { registeredAt: START, until: START + 5 * MINUTE + HOUR },
      null,
    ]);
  });

  it("offers no link for an instance that is gone, nor for one that took its id since", () => {
    const offer = (registeredAt: number | null) =>
      composeNotice([alert("idle", 1, { detail: { step_at: "2025-12-19T00:05:00Z" }, registeredAt })], "info")
        ?.groups[0]?.lines[0]?.keepAlive;
    expect(offer(null)).toBeNull();
    expect(offer(START + 2)).toBeNull();
    expect(offer(START + 1)).not.toBeNull();
  });
});

describe("money", () => {
  const dear = { rate: 4, would_save_hourly: 3.9, wasted: 1.5 };

  it("stands beside the message, in figures and in words", () => {
    const notice = composeNotice([alert("silent", 1, { detail: { ...dear, rule: "x" } })], "info");
    expect(notice).toMatchObject({
      title: "Rig 1: Message 1",
      groups: [
        {
          heading: "1 instance still silent",
          money: { rate: 4, unknown_rates: 0, saves_hourly: null, wasted: 1.5 },
          lines: [
            {
              message: "Message 1",
              money: dear,
              moneyText:
                "It costs $4.00 an hour, has wasted $1.50 and would save $3.90 an hour if it were hibernated.",
            },
          ],
        },
      ],
    });
    expect(noticeSchema.parse(JSON.parse(JSON.stringify(notice)))).toEqual(notice);
  });

  it("of many is summed up, each instance once, with those that are named and those that are not", () => {
    const many = Array.from({ length: 12 }, (_, index) =>
      alert("orphaned", index, { detail: { rate: 1.5 } }),
    );
    const again = alert("orphaned", 3, { eventId: "again", detail: { rate: 2.5 } });
    const notice = composeNotice([...many, again], "info");
    expect(notice?.title).toBe("12 instances orphaned, $19.00 an hour together");
  });

  it("that is not known is not counted as nothing", () => {
    const some = composeNotice([alert("orphaned", 1, { detail: { rate: 2 } }), alert("orphaned", 2)], "info");
    expect(some?.title).toBe("2 instances orphaned, $2.00 an hour and more (1 at unknown prices) together");
    const none = composeNotice([alert("orphaned", 1), alert("orphaned", 2)], "info");
    expect(none).toMatchObject({
      title: "2 instances orphaned",
      groups: [{ money: { rate: null, unknown_rates: 2 } }],
    });
    expect(none?.groups[0]?.lines[0]).not.toHaveProperty("moneyText");
  });

  it("is what is saved where machines were hibernated or deleted", () => {
    const hibernated = {
      rate: 0.01,
      hibernated_cost: 0.01,
      running_cost: 0.4,
      saves_hourly: 0.39,
      wasted: 0.02,
    };
    const gone = { saves_hourly: 0.01, cost_total: 9, wasted_total: 2 };
    const title = (kind: Alert["kind"], detail: Alert["detail"]) =>
      composeNotice([alert(kind, 1, { detail }), alert(kind, 2, { detail })], "info")?.title;
    expect(title("hibernated", hibernated)).toBe(
      "2 instances hibernated, $0.02 an hour together, $0.78 an hour saved, $0.04 wasted",
    );
    expect(title("deleted", gone)).toBe("2 instances deleted, $0.02 an hour saved, $4.00 wasted");
  });

  it("is of no concern where nothing of it depends on the event", () => {
    const notice = composeNotice(
      [alert("history_lost", 1, { detail: { rate: 1 } }), alert("history_lost", 2)],
      "info",
    );
    expect(notice?.title).toBe("2 instances with holes in the history");
    expect(notice?.groups[0]?.money).toBeUndefined();
  });
});

describe("in Portuguese and in the time of a zone", () => {
  const SAO_PAULO = { language: "pt-BR", timeZone: "America/Sao_Paulo" } as const;
  const orphaned = (index: number) =>
    alert("orphaned", index, {
      message: "Deleting: orphaned since 2025-12-19T00:00:00Z",
      said: phrase("deletion.begun", { since: START }),
      detail: { rate: 0.4 },
    });

  it("says all of it, and names its language for what a channel puts beside it", () => {
    const notice = composeNotice([orphaned(1), orphaned(2)], "info", false, SAO_PAULO);
    expect(notice).toMatchObject({
      title: "2 instâncias órfãs, US$ 0,80 por hora no total",
      language: "pt-BR",
      groups: [
        {
          lines: [
            {
              message: "Excluindo: órfã desde 18/12/2025, 21:00:00 UTC-03:00",
              moneyText: "Ela custa US$ 0,40 por hora.",
            },
            {},
          ],
        },
      ],
    });
    expect(noticeSchema.parse(JSON.parse(JSON.stringify(notice)))).toEqual(notice);
  });

  it("tells what a former release has said as it was said, and a kind of a newer one by its name", () => {
    const former = { ...orphaned(1), said: undefined };
    expect(composeNotice([former], "info", false, SAO_PAULO)?.title).toBe(
      "Rig 1: Deleting: orphaned since 2025-12-19T00:00:00Z",
    );
    const unknown = [1, 2].map((index) => alert(JSON.parse('"set_afire"'), index));
    expect(composeNotice(unknown, "info", false, SAO_PAULO)?.title).toMatch(/^2 instâncias: set afire/);
  });

  it("keeps English as it was recorded, but for the times of a zone that was chosen", () => {
    const english = (timeZone: string | null) =>
      composeNotice([orphaned(1)], "info", false, { language: "en", timeZone });
    expect(english(null)).toEqual(composeNotice([orphaned(1)], "info"));
    expect(english("Mars/Olympus")?.title).toBe("Rig 1: Deleting: orphaned since Dec 19, 2025, 00:00:00 UTC");
    expect(english("Asia/Kolkata")?.title).toBe(
      "Rig 1: Deleting: orphaned since Dec 19, 2025, 05:30:00 UTC+05:30",
    );
    expect(english(null)).not.toHaveProperty("language");
  });

  it("is told in English where it was stored without a language, or in one that is not known", () => {
    const notice = composeNotice([orphaned(1)], "info", false, SAO_PAULO);
    const { language: _, ...former } = notice ?? { language: undefined };
    expect(noticeSchema.parse(former)).toEqual(former);
    expect(noticeSchema.parse({ ...former, language: "tlh" }).language).toBeUndefined();
  });
});
