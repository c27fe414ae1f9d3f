import type { ApiError } from "../api-error.ts";
import { type PolicyProblem, policyProblems } from "../settings/policy-problems.ts";

/** What is wrong with a policy that was to be tried, at the field that it is about. Empty where the refusal is about no policy. Pure. */
export function refusalProblems({ issues }: Pick<ApiError, "issues">): PolicyProblem[] {
  return policyProblems(
    issues.map(({ path, message }) => ({
      path: path.replace(/^body\.(instance_policy|policy)(\.|$)/, "body.policy$2"),
      message,
    })),
  );
}
