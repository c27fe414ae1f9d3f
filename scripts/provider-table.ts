import { abilitiesOf, type ProviderKind, providerKindSchema } from "../src/lifecycle/model/provider.ts";
import { onlyDeletes } from "../src/lifecycle/model/stopping.ts";

/** The table of `docs/providers.md`, made of what the code says of each provider. */

const BEGIN = "<!-- providers -->\n";
const END = "<!-- /providers -->";

const COLUMNS: Readonly<Record<string, (kind: ProviderKind) => string>> = {
  provider: (kind) => `\`${kind}\``,
  hibernates: (kind) => abilitiesOf(kind).hibernates,
  "acts on a silent machine": (kind) =>
    onlyDeletes(kind) ? "deletes it" : yesOrNo(abilitiesOf(kind).reachesSilent),
  snapshots: (kind) => yesOrNo(abilitiesOf(kind).snapshots),
  "lists machines": (kind) => yesOrNo(abilitiesOf(kind).lists),
  "billed while stopped": (kind) => listed(abilitiesOf(kind).billedWhenStopped),
  "lost by a stop": (kind) => listed(abilitiesOf(kind).lost),
  "may keep it from coming back": (kind) => abilitiesOf(kind).mayNotComeBack ?? "–",
};

function listed(words: readonly string[]): string {
  return words.length === 0 ? "–" : words.join(", ");
}

function yesOrNo(is: boolean): string {
  return is ? "yes" : "no";
}

/** The document with its table as the code has it. Throws when the document has no place for it. */
export function withProviderTable(document: string): string {
  const [before, rest] = document.split(BEGIN);
  const [, after] = rest?.split(END) ?? [];
  if (before === undefined || after === undefined) throw new Error(`the document has no ${BEGIN}`);
  return `${before}${BEGIN}${table()}${END}${after}`;
}

function table(): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  const columns = Object.entries(COLUMNS);
  const rows = providerKindSchema.options.map((kind) => columns.map(([, cell]) => cell(kind)));
  return [columns.map(([name]) => name), columns.map(() => "---"), ...rows].map(line).join("");
}
