import { z } from "zod";
import { abilitiesOf, calledKind } from "../../lifecycle/model/provider.ts";
import { columnOf, readableRows } from "../../lifecycle/model/stored.ts";
import {
  type Connection,
  firstConnection,
  isRefused,
  type KeptCredentials,
  type NewConnection,
  type SealedCredentials,
  type Standing,
  UNTRIED,
} from "../../providers/connections.ts";

/**
 * The user's connections to providers: credentials, sealed, and what is said of them. A row of `credentials` has the id of its
 * connection where it said the kind before there were several of one kind; one of which `connections` says nothing is the first of
 * its kind. What is noted of credentials counts for those that were set then (`noted_of`): the former release sets others, too.
 */

const connectionRow = z
  .object({
    id: z.string(),
    set_at: z.number(),
    kind: z.string().nullable(),
    name: z.string().nullable(),
    created_at: z.number().nullable(),
    checked_at: z.number().nullable(),
    problem: z.string().nullable(),
    refusals: z.number().nullable(),
    noted_of: z.number().nullable(),
  })
  .transform((row, context): Connection => {
    const kind = calledKind(row.kind ?? row.id);
    if (kind === null) {
      context.addIssue("a kind of provider that this version does not know");
      return z.NEVER;
    }
    const { id, name, createdAt, setAt } = firstConnection(kind, row.set_at);
    const standing: Standing =
      row.noted_of === row.set_at
        ? { refusals: row.refusals ?? 0, problem: row.problem, checkedAt: row.checked_at }
        : UNTRIED;
    return {
      ...standing,
      id: row.kind === null ? id : row.id,
      kind,
      name: row.name ?? name,
      createdAt: row.created_at ?? createdAt,
      setAt,
    };
  });

const COLUMNS = `credentials.kind AS id, credentials.set_at, connections.kind, connections.name, connections.created_at,
  connections.checked_at, connections.problem, connections.refusals, connections.noted_of`;

const sealedOf = columnOf("sealed", z.string());

export class Connections {
  readonly #sql: SqlStorage;
  /** Null when it must be read anew. */
  #standings: string | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** A text that differs whenever orders can be given by other connections; empty without any. */
  get standings(): string {
    this.#standings ??= this.list()
      .map((connection) => `${connection.id}${isRefused(connection) ? " refused" : ""}`)
      .join();
    return this.#standings;
  }

  /** Null where there is none, or this version does not know its kind. */
  find(id: string): Connection | null {
    return this.credentials(id)?.connection ?? null;
  }

  /** The credentials of a connection; null where there are none. */
  credentials(id: string): KeptCredentials | null {
    const rows = this.#sql
      .exec(
        `SELECT sealed, ${COLUMNS} FROM credentials LEFT JOIN connections ON connections.id = credentials.kind
         WHERE credentials.kind = ?`,
        id,
      )
      .toArray();
    const [connection] = readableRows(connectionRow, rows);
    return connection === undefined
      ? null
      : { sealed: sealedOf.parse(rows[0]), setAt: connection.setAt, connection };
  }

  /** By kind, the first of each before the others. */
  list(): Connection[] {
    const rows = this.#sql.exec(
      `SELECT ${COLUMNS} FROM credentials LEFT JOIN connections ON connections.id = credentials.kind
       ORDER BY COALESCE(connections.kind, credentials.kind),
         credentials.kind <> COALESCE(connections.kind, credentials.kind), connections.created_at, credentials.kind`,
    );
    return readableRows(connectionRow, rows.toArray());
  }

  /** Those whose provider can list an account's machines. */
  listed(): Connection[] {
    return this.list().filter(({ kind }) => abilitiesOf(kind).lists);
  }

  /** `taken`: the id is another's. */
  add(
    connection: NewConnection,
    sealed: SealedCredentials,
    checkedAt: number | null,
    limit: number,
  ): "added" | "taken" | "too_many" {
    const { kept } = this.#sql.exec<{ kept: number }>("SELECT COUNT(*) AS kept FROM credentials").one();
    if (kept >= limit) return "too_many";
    if (this.#sql.exec("SELECT 1 FROM credentials WHERE kind = ?", connection.id).toArray().length > 0) {
      return "taken";
    }
    this.#write({ ...connection, ...UNTRIED, checkedAt, setAt: sealed.setAt });
    this.#seal(connection.id, sealed);
    return "added";
  }

  rename(connection: Connection, name: string): void {
    this.#write({ ...connection, name });
  }

  /** Sets the credentials of a connection that is there, or of the first of a kind. Nothing that was noted counts for them. */
  set(id: string, sealed: SealedCredentials, checkedAt: number | null): void {
    const former = this.find(id);
    this.#seal(id, sealed);
    const connection = this.find(id);
    if (connection === null) return;
    this.#write({ ...connection, ...UNTRIED, checkedAt, createdAt: (former ?? connection).createdAt });
  }

  note(connection: Connection, standing: Standing): void {
    this.#write({ ...connection, ...standing });
  }

  /** False when there is none. */
  remove(id: string): boolean {
    this.#standings = null;
    this.#sql.exec("DELETE FROM connections WHERE id = ?", id);
    return this.#sql.exec("DELETE FROM credentials WHERE kind = ? RETURNING kind", id).toArray().length > 0;
  }

  #seal(id: string, { sealed, setAt }: SealedCredentials): void {
    this.#standings = null;
    this.#sql.exec(
      `INSERT INTO credentials (kind, sealed, set_at) VALUES (?, ?, ?)
       ON CONFLICT (kind) DO UPDATE SET sealed = excluded.sealed, set_at = excluded.set_at`,
      id,
      sealed,
      setAt,
    );
  }

  #write({ id, kind, name, createdAt, checkedAt, problem, refusals, setAt }: Connection): void {
    this.#standings = null;
    this.#sql.exec(
      `INSERT INTO connections (id, kind, name, created_at, checked_at, problem, refusals, noted_of)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET
         kind = excluded.kind, name = excluded.name, created_at = excluded.created_at,
         checked_at = excluded.checked_at, problem = excluded.problem, refusals = excluded.refusals,
         noted_of = excluded.noted_of`,
      id,
      kind,
      name,
      createdAt,
      checkedAt,
      problem,
      refusals,
      setAt,
    );
  }
}
