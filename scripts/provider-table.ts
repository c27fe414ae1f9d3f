import { comingBackOf, type WayOn } from "../src/lifecycle/model/coming-back.ts";
import {
  abilitiesOf,
  CALLED_PROVIDERS,
  type CalledProvider,
  type ProviderKind,
  providerKindSchema,
} from "../src/lifecycle/model/provider.ts";
import { sayStoppedRisks } from "../src/lifecycle/model/stopped-risks.ts";
import { onlyDeletes } from "../src/lifecycle/model/stopping.ts";
import { say } from "../src/lifecycle/model/words/say.ts";

/** The generated parts of `docs/providers.md`, made of what the code says of each provider. */

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
  "a start without a free GPU": (kind) => comingBackOf(kind).startWithoutGpu ?? "–",
  "ends a stopped machine": (kind) => comingBackOf(kind).endsByItself ?? "–",
};

/** What is said of each before a stop, and offered after a wake in vain. */
const SECTIONS: Readonly<Record<string, () => string>> = {
  providers: table,
  "stopped risks": () =>
    providerKindSchema.options
      .flatMap((kind) => sayStoppedRisks(kind, null) ?? [])
      .map((risks) => item(say("en", risks)))
      .join(""),
  "ways on": () => CALLED_PROVIDERS.flatMap(waysOn).map(item).join(""),
};

function item(text: string): string {
  return `- ${text}\n`;
}

function waysOn(kind: CalledProvider): string[] {
  const { recreate, fetchData } = comingBackOf(kind);
  if (recreate === null && fetchData === null) return [];
  const say = (way: WayOn | null) =>
    way === null
      ? "not known"
      : `${way.how}${way.command === null ? "" : ` (\`${way.command(EXAMPLES[kind])}\`)`}`;
  return [`\`${kind}\`: recreate: ${say(recreate)}. Fetch the data: ${say(fetchData)}`];
}

const EXAMPLES: Readonly<Record<CalledProvider, string>> = {
  webhook: "ID",
  vast: "ID",
  runpod: "ID",
  ec2: "ID",
  gcp: "projects/PROJECT/zones/ZONE/instances/NAME",
  azure: "GROUP/NAME",
  hyperstack: "ID",
  scaleway: "ID",
  tensordock: "ID",
  lambda: "ID",
  digitalocean: "ID",
  verda: "ID",
};

function listed(words: readonly string[]): string {
  return words.length === 0 ? "–" : words.join(", ");
}

function yesOrNo(is: boolean): string {
  return is ? "yes" : "no";
}

/** The document with these parts as the code has them. Throws when the document has no place for one. */
export function withProviderTable(document: string): string {
  return Object.entries(SECTIONS).reduce((text, [name, make]) => {
    const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
    const [before, rest] = text.split(begin);
    const [, after] = rest?.split(end) ?? [];
    if (before === undefined || after === undefined) throw new Error(`the document has no ${begin}`);
    return `${before}${begin}${make()}${end}${after}`;
  }, document);
}

function table(): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  const columns = Object.entries(COLUMNS);
  const rows = providerKindSchema.options.map((kind) => columns.map(([, cell]) => cell(kind)));
  return [columns.map(([name]) => name), columns.map(() => "---"), ...rows].map(line).join("");
}
