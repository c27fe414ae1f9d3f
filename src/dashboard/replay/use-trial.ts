import { useEffect, useMemo, useState } from "preact/hooks";
import type { PolicyOverrides } from "../../lifecycle/model/policy-settings.ts";
import { ask } from "../api.ts";
import { asApiError } from "../poll.ts";
import { type PolicyReplay, PREVIEWS, previewAddress } from "./answers.ts";
import { type TrialLevel, type TrialSpan, trialOf } from "./request.ts";
import { type Asked, NOT_TRIED, Trial, type TrialState } from "./trial.ts";

/** What is typed, tried on the past: from the moment on at which it first differs from what is saved, or it is asked for. */
export function useTrial(level: TrialLevel, overrides: PolicyOverrides, isTyped: boolean) {
  const [state, setState] = useState<TrialState>(NOT_TRIED);
  const [span, setSpan] = useState<TrialSpan>("week");
  const [hasBegun, setBegun] = useState(false);
  const [removals, setRemovals] = useState(0);
  const trial = useMemo(
    () =>
      new Trial({
        start: (request) => asked(ask<PolicyReplay>("POST", PREVIEWS, request)),
        read: (id, signal) => asked(ask<PolicyReplay>("GET", previewAddress(id), undefined, signal)),
        remove: async (id) => {
          await asked(ask("DELETE", previewAddress(id)));
          setRemovals((count) => count + 1);
        },
        show: setState,
        isHidden: () => document.hidden,
      }),
    [],
  );
  useEffect(() => () => trial.end(), []);
  const request = trialOf(level, overrides, span);
  useEffect(() => {
    if (!isTyped && !hasBegun) return;
    setBegun(true);
    trial.want(request);
  }, [isTyped, JSON.stringify(request)]);
  const tryNow = () => {
    setBegun(true);
    trial.tryNow(request);
  };
  return { trial, state, span, setSpan, tryNow, removals };
}

async function asked<T>(work: Promise<T>): Promise<Asked<T>> {
  try {
    return { answer: await work };
  } catch (error) {
    return { error: asApiError(error) };
  }
}
