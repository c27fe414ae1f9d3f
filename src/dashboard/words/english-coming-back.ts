import { comingBackOf } from "../../lifecycle/model/coming-back.ts";
import type { ProviderKind } from "../../lifecycle/model/provider.ts";
import { sayStoppedRisks } from "../../lifecycle/model/stopped-risks.ts";
import type { WayOnView } from "../../lifecycle/model/ways-on.ts";

/** What a stop risks, and what can be done when a machine does not come back. */
export const englishComingBack = {
  /** In one sentence; null where nobody knows. */
  risks: (provider: ProviderKind, hourlyCost: number | null): string | null =>
    sayStoppedRisks(provider, hourlyCost),
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
  /** What each way means at this provider. */
  how: (provider: ProviderKind, way: WayOnView["way"]): string => {
    const { recreate, fetchData } = comingBackOf(provider);
    switch (way) {
      case "wait":
        return "Its GPU may be free again later.";
      case "recreate":
        return spelled(recreate?.how);
      case "fetch_data":
        return spelled(fetchData?.how);
    }
  },
  openPage: (provider: string) => `Open ${provider}`,
};

function spelled(how: string | undefined): string {
  return how === undefined ? "" : `${how.charAt(0).toUpperCase()}${how.slice(1)}.`;
}

export type ComingBackWords = typeof englishComingBack;
