import type { Role } from "../../../accounts/roles.ts";
import { frameWords } from "../../frame/words.ts";

export function RoleBadge({ role }: { role: Role }) {
  return <span class="role">{frameWords.value.roles[role]}</span>;
}
