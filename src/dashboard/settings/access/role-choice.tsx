import type { Role } from "../../../accounts/roles.ts";
import { frameWords } from "../../frame/words.ts";
import { Field } from "../../parts/field.tsx";
import { accessWords } from "./words.ts";

/** What a person can be. A token can also do no more than scrape. */
export const PERSON_ROLES = ["viewer", "operator", "owner"] as const satisfies readonly Role[];
export const TOKEN_ROLES = ["metrics", ...PERSON_ROLES] as const satisfies readonly Role[];

/** Which role, with what it may do. */
export function RoleChoice({
  roles,
  chosen,
  onChoose,
}: {
  roles: readonly Role[];
  chosen: Role;
  onChoose: (role: Role) => void;
}) {
  const { role, roleHint } = accessWords.value;
  return (
    <Field label={role} hint={roleHint[chosen]}>
      {(attributes) => (
        <select
          {...attributes}
          value={chosen}
          onChange={({ currentTarget: { value } }) =>
            onChoose(roles.find((each) => each === value) ?? chosen)
          }
        >
          {roles.map((each) => (
            <option key={each} value={each}>
              {frameWords.value.roles[each]}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
