import { expect, it } from "vitest";
import { preferredLanguage } from "../../src/http/language.ts";

it.each([
  [undefined, "en"],
  ["", "en"],
  ["pt-BR", "pt-BR"],
  ["pt", "pt-BR"],
  ["PT-pt;q=0.9", "pt-BR"],
  ["en-US,en;q=0.9,pt-BR;q=0.8", "en"],
  ["fr, pt;q=0.5, en;q=0.4", "pt-BR"],
  ["de-DE,fr", "en"],
  ["pt;q=0, en;q=0.1", "en"],
  ["pt;q=0", "en"],
  ["*", "en"],
  ["*;q=0.1, pt", "pt-BR"],
  ["pt;q=oops", "en"],
  [",,,;;;q=,", "en"],
  [`${"x,".repeat(10_000)}pt`, "en"],
])("an Accept-Language of %j is answered in %s", (accepted, language) => {
  expect(preferredLanguage(accepted)).toBe(language);
});
