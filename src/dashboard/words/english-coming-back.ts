import { comingBackOf } from "../../lifecycle/model/coming-back.ts";
import {
  abilitiesOf,
  type Billed,
  type CalledProvider,
  calledKind,
  type Lost,
  nameOfKind,
  type ProviderKind,
} from "../../lifecycle/model/provider.ts";
import { isWithoutParts, sayStoppedRisks } from "../../lifecycle/model/stopped-risks.ts";
import type { WayOnView } from "../../lifecycle/model/ways-on.ts";
import { price } from "../format.ts";

const billed = {
  disks: "its disks",
  volumes: "its volumes",
  addresses: "its addresses",
  snapshots: "its snapshots",
} satisfies Partial<Record<Billed, string>>;

const lost: Record<Lost, string> = {
  memory: "what is in memory",
  "container disk": "all outside its volumes",
  "local disks": "what is on its local disks",
  "not said": "what is not saved elsewhere",
};

/** What a stop risks, and what can be done when a machine does not come back. */
export const englishComingBack = {
  /** In one sentence; null where nobody knows. */
  risks: (provider: ProviderKind, hourlyCost: number | null): string | null => {
    const kind = calledKind(provider);
    if (kind === null || sayStoppedRisks(kind, hourlyCost) === null) return null;
    const { endsByItself } = comingBackOf(kind);
    const losses = abilitiesOf(kind).lost.map((each) => lost[each]);
    const parts = [
      sayBilled(kind, hourlyCost),
      `${listed(losses)} ${losses.length === 1 ? "is" : "are"} lost`,
      sayComingBack(kind),
      ...(endsByItself === null ? [] : [ENDS[endsByItself]]),
    ];
    return `Stopped at ${nameOfKind(kind)}: ${parts.join("; ")}.`;
  },
  hibernated: "An hour, hibernated",
  unknown: "unknown",
  wakeFailed: "Its last wake failed",
  mayStart: (provider: string) =>
    `It is not known whether its start was cancelled. ${provider} is told to stop it, and asked, until it is. If you want it to run, wake it here, not there.`,
  ways: {
    wait: "Wait, and wake it again",
    recreate: "Recreate it",
    fetch_data: "Fetch its data",
  } satisfies Record<WayOnView["way"], string>,
  /** Why waiting may help. */
  mayBeFree: "Its GPU may be free again later.",
  openPage: (provider: string) => `Open ${provider}`,
};

export type ComingBackWords = typeof englishComingBack;

function sayBilled(kind: CalledProvider, hourlyCost: number | null): string {
  if (hourlyCost === 0) return "it costs nothing";
  const parts = abilitiesOf(kind).billedWhenStopped.flatMap((each) =>
    isWithoutParts(each) ? [] : [billed[each]],
  );
  const cost = hourlyCost === null ? "" : `, at ${price(hourlyCost, "en")} an hour`;
  return parts.length === 0
    ? `it may still be billed in full${cost}`
    : `${listed(parts)} are still billed${cost}`;
}

function sayComingBack(kind: CalledProvider): string {
  const taken =
    abilitiesOf(kind).mayNotComeBack === "its host"
      ? "its GPU may be taken by others, and then"
      : "while the provider has no capacity";
  switch (comingBackOf(kind).startWithoutGpu) {
    case "waits":
      return `${taken} a start waits until it is free, or in vain`;
    case "comes without":
      return `${taken} a start fails, or comes without a GPU`;
    case "fails":
    case null:
      return `${taken} a start fails`;
  }
}

const ENDS = {
  "after its contract": "48 hours after the end of its contract it is deleted with its data",
  "without balance": "once your balance is used up it is deleted, unless it has a network volume",
} as const;

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
