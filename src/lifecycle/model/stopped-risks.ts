import { type ComingBack, comingBackOf } from "./coming-back.ts";
import { spokenDollars } from "./dollars.ts";
import {
  abilitiesOf,
  type Billed,
  type ConnectedProvider,
  calledKind,
  kindOf,
  type Lost,
  nameOfKind,
  type ProviderAbilities,
} from "./provider.ts";
import { onlyDeletes } from "./stopping.ts";

/** What stopping a machine risks: said before it is stopped, from the table of abilities. */

/** The field names are those of the HTTP API. */
export interface StoppedRisks {
  /** All of it in one sentence. */
  readonly text: string;
  readonly still_billed: readonly Billed[];
  /** Dollars an hour that it costs while it is stopped; null where that is not known. */
  readonly hourly_cost: number | null;
  readonly lost: readonly Lost[];
  readonly may_not_come_back: ProviderAbilities["mayNotComeBack"];
  readonly start_without_gpu: ComingBack["startWithoutGpu"];
  readonly ends_by_itself: ComingBack["endsByItself"];
}

export function stoppedRisks(provider: ConnectedProvider, hourlyCost: number | null): StoppedRisks {
  const { billedWhenStopped, lost, mayNotComeBack } = abilitiesOf(provider);
  const { startWithoutGpu, endsByItself } = comingBackOf(provider);
  return {
    text: sayStoppedRisks(provider, hourlyCost) ?? (onlyDeletes(provider) ? NEVER_STOPPED : NOT_SAID),
    still_billed: billedWhenStopped,
    hourly_cost: hourlyCost,
    lost,
    may_not_come_back: mayNotComeBack,
    start_without_gpu: startWithoutGpu,
    ends_by_itself: endsByItself,
  };
}

const NOT_SAID =
  "What a stop costs, loses and risks depends on where the machine is rented: nobody says it here.";

const NEVER_STOPPED =
  "Its provider can't stop a machine and keep it: all of it is billed until it is deleted, with its data.";

/** In one sentence; null where nobody knows what a stop means, or nothing is stopped. */
export function sayStoppedRisks(provider: ConnectedProvider, hourlyCost: number | null): string | null {
  const kind = calledKind(kindOf(provider));
  const { lost, mayNotComeBack } = abilitiesOf(provider);
  if (kind === null || onlyDeletes(kind) || (lost.includes("not said") && mayNotComeBack === null))
    return null;
  const { endsByItself } = comingBackOf(kind);
  const parts = [
    sayBilled(kind, hourlyCost),
    `${listed(lost.map((each) => LOST[each]))} ${lost.length === 1 ? "is" : "are"} lost`,
    sayComingBack(kind),
    ...(endsByItself === null ? [] : [ENDS[endsByItself]]),
  ];
  return `Stopped at ${nameOfKind(kind)}: ${parts.join("; ")}.`;
}

const BILLED: Record<Exclude<Billed, WithoutParts>, string> = {
  disks: "its disks",
  volumes: "its volumes",
  addresses: "its addresses",
  snapshots: "its snapshots",
};

function sayBilled(kind: ConnectedProvider, hourlyCost: number | null): string {
  const billed = abilitiesOf(kind).billedWhenStopped.flatMap((each) =>
    isWithoutParts(each) ? [] : [BILLED[each]],
  );
  if (hourlyCost === 0) return "it costs nothing";
  const cost = hourlyCost === null ? "" : `, at ${spokenDollars(hourlyCost)} an hour`;
  return billed.length === 0
    ? `it may still be billed in full${cost}`
    : `${listed(billed)} are still billed${cost}`;
}

type WithoutParts = "everything" | "perhaps everything" | "not said";

/** Whether that is billed, or may be, without saying which part of the machine. */
export function isWithoutParts(billed: Billed): billed is WithoutParts {
  return billed === "everything" || billed === "perhaps everything" || billed === "not said";
}

const LOST: Record<Lost, string> = {
  memory: "what is in memory",
  "container disk": "all outside its volumes",
  "local disks": "what is on its local disks",
  "not said": "what is not saved elsewhere",
};

function sayComingBack(kind: ConnectedProvider): string {
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

const ENDS: Record<NonNullable<StoppedRisks["ends_by_itself"]>, string> = {
  "after its contract": "48 hours after the end of its contract it is deleted with its data",
  "without balance": "once your balance is used up it is deleted, unless it has a network volume",
};

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
