import { describe, expect, it } from "vitest";
import { proposalText } from "../../../src/dashboard/replay/proposal-text.ts";
import { englishReplay } from "../../../src/dashboard/replay/words/english.ts";
import { portugueseReplay } from "../../../src/dashboard/replay/words/portuguese.ts";
import { FAILED_BECAUSE, SAID_CODES, SKIPPED_BECAUSE } from "../../../src/fleet/rules/preview.ts";
import { SOURCE_KINDS } from "../../../src/lifecycle/model/source-settings.ts";
import type { SettingSaid } from "../../../src/replay/say-proposal.ts";

const LANGUAGES = [
  { locale: "en", words: englishReplay },
  { locale: "pt-BR", words: portugueseReplay },
] as const;

const setting: SettingSaid = {
  threshold_percent: 3,
  hibernate_after_minutes: 20,
  share_percent: 94,
  saved: 37.3,
  hibernated_hours: 40.5,
  interruptions: 2,
  work_cut_hours: 1.5,
};

const said = (code: string, parameters: object = setting) => ({ says: { code, parameters } });

describe.each(LANGUAGES)("what is proposed, in $locale", ({ locale, words }) => {
  it("has a sentence for each code of the service, and never the code itself", () => {
    for (const code of SAID_CODES) {
      const text = proposalText(said(code, { ...setting, other: setting }), words.proposal, locale);
      expect(text, code).toMatch(/\.$/);
      expect(text).not.toContain("_");
    }
  });

  it("is left to the service's own words where the page knows none", () => {
    expect(proposalText(said("of_a_newer_release"), words.proposal, locale)).toBe(null);
    expect(proposalText(said("spares", {}), words.proposal, locale)).toBe(null);
    expect(proposalText(said("spares_some"), words.proposal, locale)).toBe(null);
  });

  it("says why a preview ended and an instance is left out, and what was measured, never by a code", () => {
    for (const because of FAILED_BECAUSE) expect(words.trying.brokenBecause[because], because).toBeDefined();
    for (const because of SKIPPED_BECAUSE.filter((each) => each !== "failed")) {
      expect(words.basis.skippedBecause[because], because).toBeDefined();
    }
    for (const kind of SOURCE_KINDS.filter((each) => ["work", "scripts", "other"].includes(each))) {
      expect(words.evidence.sourceKinds[kind], kind).toBeDefined();
    }
  });
});

it("says the numbers, in dollars or in hours", () => {
  const { proposal } = englishReplay;
  expect(proposalText(said("spares"), proposal, "en")).toBe(
    "With idle 20 min under 3% you would have kept 94% of the savings ($37.30 saved) and interrupted nobody.",
  );
  expect(proposalText(said("spares", { ...setting, saved: null }), proposal, "en")).toContain(
    "(40.5 h of hibernation)",
  );
  expect(proposalText(said("interrupts"), proposal, "en")).toContain(
    "interrupted work 2 times, 1.5 h of it while the machine was off.",
  );
  expect(proposalText(said("interrupts", { ...setting, work_cut_hours: 0.45 }), proposal, "en")).toContain(
    "2 times, 27 min of it",
  );
  expect(proposalText(said("interrupts", { ...setting, work_cut_hours: 0.005 }), proposal, "en")).toMatch(
    /interrupted work 2 times\.$/,
  );
  expect(proposalText(said("spares"), portugueseReplay.proposal, "pt-BR")).toMatch(
    /^Com ociosidade de 20 min abaixo de 3% você teria mantido 94% da economia \(US\$\s37,30 economizados\) sem interromper ninguém\.$/,
  );
});

it("tells one from many", () => {
  const { basis, trying, kept } = englishReplay;
  expect(basis.withoutUse(1, "1")).toContain("Of 1 heartbeat only");
  expect(basis.withoutUse(4200, "4,200")).toContain("Of 4,200 heartbeats only");
  expect(trying.running(0, 1)).toBe("0 of 1 instance replayed");
  expect(kept.result("$3.00", 1)).toBe("$3.00 saved, work interrupted once");
  expect(kept.result("$3.00", 0)).toBe("$3.00 saved, nobody interrupted");
  expect(kept.result(null, 2)).toBe("savings not known, work interrupted 2 times");
  expect(portugueseReplay.kept.result(null, 1)).toBe("economia desconhecida, trabalho interrompido uma vez");
  expect(basis.readings(1, "1")).toBe("1 heartbeat, as it was heard.");
  expect(basis.readings(4200, "4,200")).toBe("4,200 heartbeats, as they were heard.");
  expect(portugueseReplay.kept.of(2, 1)).toBe("2 instâncias, 1 dia");
});
