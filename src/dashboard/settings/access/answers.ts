import type { Role } from "../../../accounts/roles.ts";

/** What the API says of who can come into the account. */

/** What somebody is signed in or acts as. */
export interface Actor {
  readonly kind: "person" | "token";
  readonly id: string;
  readonly name: string;
}

export interface Session {
  readonly id: string;
  readonly by: Actor;
  readonly role: Role;
  readonly device: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly this: boolean;
}

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly state: "active" | "expired" | "revoked";
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly last_used_at: string | null;
  readonly this: boolean;
}

/** How a person is known when they sign in. */
export interface Identity {
  readonly id: string;
  readonly kind: "openid" | "email";
  readonly name: string;
  readonly since: string;
}

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: Role;
  readonly last_seen_at: string | null;
  /** Null: not for the asker to know. */
  readonly identities: readonly Identity[] | null;
  readonly this: boolean;
}

export interface RemovedPerson {
  /** What the person made, and is still good. */
  readonly tokens: readonly { readonly id: string; readonly name: string }[];
}

export interface Invitation {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: Role;
  readonly made_by: string;
  readonly expires_at: string;
}

export interface Act {
  readonly id: string;
  readonly at: string;
  readonly who: { readonly kind: Actor["kind"] | "operator"; readonly name: string | null };
  readonly act: string;
  readonly subject: string | null;
  readonly detail: Readonly<Record<string, string | number | boolean | null>>;
}
