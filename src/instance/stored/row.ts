import { z } from "zod";
import { toKept, toKeptOfInstance } from "../../lifecycle/model/observed-overrides.ts";
import { isNothingWaiting, rowSchema, type StoredInstance } from "./stored-instance.ts";
import { migrate, VERSION } from "./versions.ts";
import { fromRow, intoRow } from "./waiting-heartbeats.ts";

/** What an actor's storage holds. */
export type Loaded =
  /** The instance is not registered. */
  | { readonly kind: "none" }
  /** There is a row, and it must stay as it is until somebody understands it. */
  | { readonly kind: "unreadable"; readonly because: string }
  | { readonly kind: "stored"; readonly stored: StoredInstance };

/** A row as it is written from version 1 on; one without a version was written before. */
const versionSchema = z.looseObject({ version: z.int().min(1).default(0) });

export function writeRow(stored: StoredInstance): string {
  const { overrides, userPolicy } = stored;
  return writeAsIs({
    ...stored,
    overrides: toKeptOfInstance(overrides, userPolicy),
    userPolicy: toKept(userPolicy),
  });
}

/** The same for an export, which says of the policy what its owner has set. */
export function writeAsIs({ delivery, suspended, enrollment, state, ...stored }: StoredInstance): string {
  const row = {
    version: VERSION,
    ...stored,
    ...(suspended ? { suspended } : {}),
    ...(enrollment === null ? {} : { enrollment }),
    ...intoRow(state),
  };
  return JSON.stringify(isNothingWaiting(delivery) ? row : { ...row, delivery });
}

/** Reads a row of any version that ever was: migrates it, then checks it. Never throws. */
export function readRow(json: string): Loaded {
  const parsed = parseJson(json);
  if (parsed === undefined) return unreadable("the row is not JSON");
  const row = versionSchema.safeParse(parsed);
  if (!row.success) return unreadable(firstIssue(row.error));
  const { version, ...fields } = row.data;
  if (version > VERSION) {
    return unreadable(`the row has version ${version}, and this code knows ${VERSION} at most`);
  }
  const checked = rowSchema.safeParse(migrate(fields, version));
  if (!checked.success) return unreadable(firstIssue(checked.error));
  const { waitingFrom, state, ...stored } = checked.data;
  return { kind: "stored", stored: { ...stored, state: fromRow({ state, waitingFrom }) } };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function unreadable(because: string): Loaded {
  return { kind: "unreadable", because };
}

function firstIssue({ issues: [issue] }: z.ZodError): string {
  return issue === undefined ? "the row is malformed" : `${issue.path.join(".")}: ${issue.message}`;
}
