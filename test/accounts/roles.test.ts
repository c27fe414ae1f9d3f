import { expect, it } from "vitest";
import { isAtLeast, roleSchema } from "../../src/accounts/roles.ts";

it("each role may do all that the roles before it may, and nothing more", () => {
  const roles = roleSchema.options;
  for (const [rank, role] of roles.entries()) {
    expect(roles.filter((needed) => isAtLeast(role, needed))).toEqual(roles.slice(0, rank + 1));
  }
});
