import { may } from "../../session.ts";
import "./access.css";
import { AuditCard } from "./audit-card.tsx";
import { InvitationsCard } from "./invitations-card.tsx";
import { PeopleCard } from "./people-card.tsx";
import { SessionsCard } from "./sessions-card.tsx";
import { TokensCard } from "./tokens-card.tsx";

/** Who can come into the account, as what, and what they did. */
export function AccessSection() {
  return (
    <>
      <SessionsCard />
      <PeopleCard />
      {may("owner") && <InvitationsCard />}
      <TokensCard />
      {may("owner") && <AuditCard />}
    </>
  );
}
