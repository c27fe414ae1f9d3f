import type { Scheduler } from "./scheduler.ts";

/** How often the things happen that not every world has, as its seed draws them. Chances a minute, unless said. */
export interface Rates {
  readonly startedByHand: number;
  readonly stoppedByHand: number;
  readonly deletedByHand: number;
  readonly moved: number;
  readonly registeredAgain: number;
  /** Of one heartbeat. */
  readonly forged: number;
  /** Of one call to the provider. */
  readonly refusal: number;
  readonly longRefusal: number;
  /** Of one start. */
  readonly queuedStart: number;
  /** Of one workflow. */
  readonly lostWorkflow: number;
  readonly lie: number;
  readonly otherCredentials: number;
  /** Whether an instance watches a machine that another one watches, as rows from before the claims do. */
  readonly hasTwin: boolean;
  readonly hasLiar: boolean;
  readonly policyChanged: number;
  /** Of a hibernated instance. */
  readonly resumed: number;
  /** Of one registration: its agent is installed much later. */
  readonly lateAgent: number;
}

/** Each of them is off in some worlds, and up to twice as frequent as usual in others. */
export function drawRates(scheduler: Scheduler): Rates {
  const draw = (usual: number) => {
    const [isOn, factor] = [scheduler.random() < 0.6, 2 * scheduler.random()];
    return isOn ? usual * factor : 0;
  };
  return {
    startedByHand: draw(0.1),
    stoppedByHand: draw(0.01),
    deletedByHand: draw(0.003),
    moved: draw(0.02),
    registeredAgain: draw(0.01),
    forged: draw(0.1),
    refusal: draw(0.1),
    longRefusal: draw(0.03),
    queuedStart: draw(0.6),
    lostWorkflow: draw(0.05),
    lie: draw(0.01),
    otherCredentials: draw(0.02),
    hasTwin: scheduler.random() < 0.2,
    hasLiar: scheduler.random() < 0.05,
    policyChanged: draw(0.02),
    resumed: draw(0.1),
    lateAgent: draw(0.3),
  };
}
