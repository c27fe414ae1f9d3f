import type { Notice } from "../../src/alerts/notice.ts";
import type { InstanceState } from "../../src/lifecycle/model/state.ts";
import type { ActionParameters } from "../../src/orders/order.ts";

/** What an instance is, and how it is. */
export type Outline = Pick<InstanceState, "profile" | "phase">;

/** What happens in the simulated world, as the promises are told of it. `instance` names an actor: `user/id`. */
export type Happening =
  /** An actor saved its state; null: it forgot everything. */
  | {
      readonly type: "saved";
      readonly at: number;
      readonly instance: string;
      readonly before: Outline | null;
      readonly after: Outline | null;
      /** All of what was saved, as it was in memory; null: nothing is left. */
      readonly state: InstanceState | null;
    }
  /** A sign of life that was acknowledged; `at` is when its actor heard it. */
  | {
      readonly type: "heard";
      readonly at: number;
      readonly instance: string;
      readonly ref: string;
      readonly sign: "idle" | "busy" | "kept alive";
    }
  /** A workflow asked at `at` whether its order stands, and the actor said that it does. */
  | {
      readonly type: "asked";
      readonly at: number;
      readonly instance: string;
      readonly actionId: string;
    }
  /** A call of an order's workflow has reached the provider. */
  | {
      readonly type: "called";
      readonly at: number;
      /** It only asks how the machine is. */
      readonly isLook: boolean;
      readonly ref: string;
      readonly workflowId: string;
      readonly parameters: ActionParameters;
    }
  /** A fleet has taken and answered the report of an instance. */
  | {
      readonly type: "reported";
      readonly at: number;
      readonly instance: string;
      readonly revision: number;
    }
  /** An owner was told, by their channel; the same message may come again. */
  | {
      readonly type: "told";
      readonly at: number;
      readonly userId: string;
      readonly messageId: string;
      readonly notice: Notice;
      /** The answer says that it will never be taken. */
      readonly isRefused: boolean;
    }
  /** The provider is about to change a machine. */
  | {
      readonly type: "deed";
      readonly at: number;
      readonly deed: Deed;
      readonly ref: string;
      readonly workflowId: string;
      readonly parameters: ActionParameters;
    };

export type Deed = "hibernate" | "wake" | "delete";

export function instanceOf({ userId, instanceId }: ActionParameters): string {
  return `${userId}/${instanceId}`;
}
