import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ENGLISH } from "../../../../src/lifecycle/model/words/english.ts";
import { phrase, together } from "../../../../src/lifecycle/model/words/phrase.ts";
import { PORTUGUESE } from "../../../../src/lifecycle/model/words/portuguese.ts";
import { type Phrase, phraseSchema, type Said } from "../../../../src/lifecycle/model/words/said.ts";
import { say, wordMessage } from "../../../../src/lifecycle/model/words/say.ts";
import { partsOf } from "../../../../src/lifecycle/model/words/template.ts";

const HOUR = 3_600_000;
const codes = Object.keys(ENGLISH).filter((code): code is keyof typeof ENGLISH => code in ENGLISH);

/** The places of a template, whatever is said between them. */
function placesOf(template: string): string[] {
  const places = partsOf(template).flatMap((part) => (part.is === "text" ? [] : [`${part.name}:${part.is}`]));
  return [...new Set(places)].sort();
}

/** A phrase of this code with any parameters that it takes. */
function filled(code: keyof typeof ENGLISH): Phrase {
  const parameters = partsOf(ENGLISH[code]).flatMap((part) => {
    if (part.is === "text") return [];
    return [[part.name, part.is === "said" || part.is === "name" ? "…" : 2 * HOUR]];
  });
  return { ...Object.fromEntries(parameters), code };
}

describe("the words of each code", () => {
  it.each(codes)("%s: are there in Portuguese, with the same places, and are no English", (code) => {
    const [english, portuguese] = [say("en", filled(code)), say("pt-BR", filled(code))];
    expect(placesOf(PORTUGUESE[code])).toEqual(placesOf(ENGLISH[code]));
    for (const said of [english, portuguese]) expect(said).not.toMatch(/[{}|]|undefined|NaN|\[object/);
    expect(portuguese.replaceAll(/DELETE \/\S+/g, "")).not.toMatch(
      /\b(the|its|is|was|and|nobody|not|with|after|since|hibernat(e|ed|ing|ion)|wake|delete)\b/i,
    );
    expect(portuguese.trim()).not.toBe("");
  });

  it("are of one code each, and of one topic", () => {
    const plain = codes.filter((code) => !ENGLISH[code].includes("{"));
    const translated = Map.groupBy(plain, (code) => ENGLISH[code]);
    for (const same of translated.values()) {
      expect(new Set(same.map((code) => PORTUGUESE[code])).size, same.join(", ")).toBe(1);
    }
  });

  it("leave room for what is said around them in both languages", () => {
    for (const code of codes) {
      const edges = (words: string) => [/^\s/.test(words) || /^[,.;]/.test(words), /\s$/.test(words)];
      expect(edges(PORTUGUESE[code]), code).toEqual(edges(ENGLISH[code]));
    }
  });
});

describe("what is said", () => {
  it("is worded with the numbers, durations, moments and sums of the language", () => {
    const since = Date.UTC(2025, 11, 19, 3, 25, 30);
    expect(say("en", phrase("because.silent", { heard: since, since }))).toBe(
      "No heartbeat since 2025-12-19T03:25:30Z, orphaned since 2025-12-19T03:25:30Z",
    );
    expect(say("pt-BR", phrase("deletion.begun", { since }))).toBe(
      "Excluindo: órfã desde 19/12/2025, 03:25:30 UTC",
    );
    expect(say("pt-BR", phrase("use.metric_at", { metric: "GPU", percent: 4.5 }))).toBe("GPU em 4,5%");
    expect(say("pt-BR", phrase("stopped.may_be_billed_at", { rate: 0.4 }))).toContain("US$ 0,40 por hora");
    expect(say("pt-BR", phrase("event.kept_alive", { duration: 1.5 * HOUR }))).toBe(
      "Mantida viva à mão por 1 h 30 min",
    );
  });

  it("counts as the language does", () => {
    const silent = (minutes: number) => say("pt-BR", phrase("silence.alert_minutes", { minutes }));
    expect(silent(1)).toContain("há 1 minuto.");
    expect(silent(2)).toContain("há 2 minutos.");
    expect(say("pt-BR", phrase("silence.alert_seconds", { silence: 1000 }))).toContain("há 1 segundo.");
    expect(say("pt-BR", phrase("silence.alert_seconds", { silence: 49 * HOUR }))).toContain("há 2 dias.");
  });

  it("has other phrases within", () => {
    const because = together("sentences", [
      phrase("use.in_use", {
        what: together("commas", ["2 ssh_connections", phrase("use.more", { count: 3 })]),
      }),
      "",
      phrase("silence.is_hibernated"),
    ]);
    expect(say("en", because)).toBe("in use: 2 ssh_connections, 3 more. It is hibernated.");
    expect(say("pt-BR", because)).toBe("em uso: 2 ssh_connections, mais 3. Ela está hibernada.");
  });

  it("leaves the words of somebody else as they are, but for those that are a code's", () => {
    const failed = (because: Said) => say("pt-BR", phrase("hibernation.failed", { because }));
    expect(failed("insufficient capacity")).toBe("Não foi possível hibernar: insufficient capacity");
    expect(failed("the instance beats on")).toContain("continua a enviar heartbeats");
    expect(say("pt-BR", phrase("event.registered", { name: "woken" }))).toBe("Registrada como woken");
  });

  it("is told in English where a newer release has said it", () => {
    const unknown: readonly Phrase[] = [
      { code: "of.tomorrow" },
      { code: "constructor" },
      { code: "hibernation.failed" },
      { code: "hibernation.failed", because: { code: "of.tomorrow" } },
      { code: "use.metric_at", metric: "GPU", percent: "much" },
      { code: "commas", said: [{ code: "of.tomorrow" }] },
      { code: "commas" },
    ];
    for (const said of unknown) {
      expect(wordMessage("pt-BR", "In English", said)).toBe("In English");
    }
    expect(wordMessage("pt-BR", "First heartbeat received", undefined)).toBe("Primeiro heartbeat recebido");
    expect(wordMessage("en", "As it was recorded", phrase("wake.done"))).toBe("As it was recorded");
  });
});

describe("a stored phrase", () => {
  it("is read as it was written, whatever its release", () => {
    for (const code of codes) expect(phraseSchema.parse(filled(code))).toEqual(filled(code));
  });

  it("is refused where it is none, or too big", () => {
    let deep: Phrase = { code: "use.in_use", what: "" };
    for (let depth = 0; depth < 10; depth++) deep = { code: "use.in_use", what: deep };
    for (const stored of [
      null,
      "text",
      [],
      {},
      { code: 1 },
      { code: "a", said: {} },
      { code: "a", said: null },
      { code: "a", text: "x".repeat(5000) },
      { code: "a", said: Array.from({ length: 99 }, () => "x") },
      deep,
    ]) {
      expect(phraseSchema.safeParse(stored).success).toBe(false);
    }
  });

  it("never throws, whatever it holds", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...codes),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (code, parameters) => {
          const read = phraseSchema.safeParse({ ...parameters, code });
          if (read.success) expect(wordMessage("pt-BR", "m", read.data)).toEqual(expect.any(String));
        },
      ),
    );
  });
});

it.each([8.65e15, -8.65e15, 1e308])("a moment of %d, which there is not, is no error", (since) => {
  const said = { code: "because.hibernated", since };
  expect(say("en", said)).toBe("");
  expect(wordMessage("pt-BR", "Hibernated", said)).toBe("Hibernated");
});
