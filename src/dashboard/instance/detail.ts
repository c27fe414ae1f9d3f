import type { PolicyOverrides, PolicySettings } from "../../lifecycle/model/policy-settings.ts";
import type { DetailView, Shown } from "../../lifecycle/views/instance-view.ts";

/** One instance, as the API shows it: see `InstanceDetail` of `/openapi.json`. */
export type Detail = Shown<DetailView> & {
  readonly policy: PolicySettings;
  readonly policy_overrides: { readonly user: PolicyOverrides; readonly instance: PolicyOverrides };
};

/** What each part of an instance's page is given. `address`: of the instance in the API. */
export interface PartProps {
  readonly instance: Detail;
  readonly address: string;
  readonly onChange: () => void;
}
