import { nameOf } from "../instance/use.ts";
import { sourceAmount } from "../parts/source-amount.ts";
import { words } from "../words.ts";
import { percentText } from "./amounts.ts";
import { type EvidencePart, evidenceIn } from "./evidence.ts";
import { replayWords } from "./words.ts";

/** What a reading showed, in the reader's language. What only the service can word stays as it is. */
export function evidenceText(evidence: string): string {
  return evidenceIn(evidence).map(partText).join(", ");
}

function partText(part: EvidencePart): string {
  const { evidence } = replayWords.value;
  switch (part.is) {
    case "metric":
      return `${part.metric} ${percentText(part.percent)}`;
    case "source": {
      const name = sourceName(part.name);
      return part.value === null || isScript(part.name)
        ? name
        : `${name}: ${sourceAmount(part.name, part.value)}`;
    }
    case "more":
      return evidence.more(part.count);
    case "unread":
      return evidence.unread(part.name === "gpu" ? "GPU" : sourceName(part.name));
    case "no_reading":
      return evidence.noReading;
    case "hour":
      return evidence.hour;
    case "other":
      return part.text;
  }
}

/** Scripts say yes or no. */
function isScript(name: string): boolean {
  return name === "scripts" || name.startsWith("script_");
}

/** Of a source, or of all sources of a kind together. */
function sourceName(name: string): string {
  const { sourceKinds } = replayWords.value.evidence;
  return Object.hasOwn(sourceKinds, name)
    ? (sourceKinds[name] ?? name)
    : nameOf({ kind: "source", name }, words.value.use);
}
