import { z } from "zod";
import { abilitiesOf, type CalledProvider } from "../../lifecycle/model/provider.ts";
import { calledProviderSchema, type SealedCredentials } from "../../providers/registry.ts";

/** The user's credentials for each provider that is called, sealed. */

/** By what a provider is called. */
export interface Connection {
  readonly connection: string;
  readonly provider: CalledProvider;
}

const credentialsRow = z
  .object({ sealed: z.string(), set_at: z.number() })
  .transform(({ sealed, set_at }): SealedCredentials => ({ sealed, setAt: set_at }));

export class Credentials {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  find(kind: string): SealedCredentials | null {
    const [row] = this.#sql.exec("SELECT sealed, set_at FROM credentials WHERE kind = ?", kind).toArray();
    return row === undefined ? null : credentialsRow.parse(row);
  }

  list(): (SealedCredentials & { readonly kind: string })[] {
    const rows = this.#sql.exec("SELECT kind, sealed, set_at FROM credentials ORDER BY kind").toArray();
    return rows.map((row) => ({ kind: z.string().parse(row.kind), ...credentialsRow.parse(row) }));
  }

  /** Which of them are for providers that can list an account's machines. */
  listed(): Connection[] {
    const kinds = this.list().map(({ kind }) => calledProviderSchema.safeParse(kind).data);
    return kinds.flatMap((kind) =>
      kind === undefined || !abilitiesOf(kind).lists ? [] : [{ connection: kind, provider: kind }],
    );
  }

  keep(kind: string, { sealed, setAt }: SealedCredentials): void {
    this.#sql.exec(
      `INSERT INTO credentials (kind, sealed, set_at) VALUES (?, ?, ?)
       ON CONFLICT (kind) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at`,
      kind,
      sealed,
      setAt,
    );
  }

  /** False when there are none. */
  remove(kind: string): boolean {
    return this.#sql.exec("DELETE FROM credentials WHERE kind = ? RETURNING kind", kind).toArray().length > 0;
  }
}
