import { z } from "zod";
import { type Answer, ask, decodeJson, errorOf, isSuccess, notUnderstood } from "../answer.ts";
import { ProviderError, type ProviderErrorCode } from "../provider.ts";

/**
 * Azure Resource Manager, called as an application.
 * https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow: the token;
 * https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/async-operations: 202 without a body;
 * https://learn.microsoft.com/en-us/azure/azure-resource-manager/troubleshooting/common-deployment-errors,
 * https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/request-limits-and-throttling: error codes.
 */

const guid = z.guid("must be an id such as 00000000-0000-0000-0000-000000000000");

export const azureCredentialsSchema = z.strictObject({
  tenant_id: guid,
  client_id: guid,
  client_secret: z.string().min(8).max(512),
  subscription_id: guid,
});

export type AzureCredentials = z.infer<typeof azureCredentialsSchema>;

/** Where tokens come from, and where they are good. */
export interface AzureUrls {
  readonly login: string;
  readonly management: string;
}

export const AZURE_PUBLIC: AzureUrls = {
  login: "https://login.microsoftonline.com",
  management: "https://management.azure.com",
};

/** A token is not used in the last minutes of its life. */
const TOKEN_MARGIN_MS = 5 * 60_000;

/** An error with a code of Azure's own. */
export class AzureError extends ProviderError {
  readonly azureCode: string;
  readonly status: number;

  constructor(azureCode: string, status: number, error: ProviderError) {
    super(error.code, error.message, error.retryAfterSeconds, error.denied);
    this.azureCode = azureCode;
    this.status = status;
  }
}

/** Calls within one subscription. `path` begins below it. What is not answered in the given shape is a `ProviderError`. */
export interface Azure {
  readonly subscriptionId: string;
  get<T>(path: string, shape: z.ZodType<T>): Promise<T>;
  put<T>(path: string, body: unknown, shape: z.ZodType<T>): Promise<T>;
  /** Gives an order that takes its time. Only looking at the machine shows what became of it. */
  order(method: "POST" | "DELETE", path: string): Promise<void>;
  /** A page of a list: `link` is the first one's path, or a `next`. */
  page(link: string): Promise<Page>;
}

interface Page {
  readonly value: readonly unknown[];
  readonly next: string | null;
}

const pageSchema = z.object({ value: z.array(z.unknown()), nextLink: z.string().nullish() });

export function azureCalls(credentials: AzureCredentials, urls: AzureUrls): Azure {
  const tokens = tokenSource(credentials, urls.login);
  const subscriptionUrl = `${urls.management}/subscriptions/${credentials.subscription_id}`;

  const call = async (method: string, url: string, body?: unknown): Promise<Answer> => {
    const answer = await ask("Azure", url, {
      method,
      headers: { Authorization: `Bearer ${await tokens.token()}`, "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status === 401) tokens.forget();
    if (!isSuccess(answer)) throw errorOfAnswer(answer);
    return answer;
  };

  return {
    subscriptionId: credentials.subscription_id,
    get: async (path, shape) => decoded(await call("GET", `${subscriptionUrl}${path}`), shape),
    put: async (path, body, shape) => decoded(await call("PUT", `${subscriptionUrl}${path}`, body), shape),
    order: async (method, path) => {
      const answer = await call(method, `${subscriptionUrl}${path}`);
      // Azure says yes without a word. Whoever sends a page or `{}` is not Azure.
      if (answer.text.trim() !== "") throw notUnderstood(answer);
    },
    page: async (link) => {
      const url = link.startsWith("/") ? `${subscriptionUrl}${link}` : link;
      requireWithin(subscriptionUrl, url);
      const { value, nextLink } = decoded(await call("GET", url), pageSchema);
      const next = nextLink == null || nextLink === "" ? null : nextLink;
      if (next !== null) requireWithin(subscriptionUrl, next);
      return { value, next };
    },
  };
}

function decoded<T>(answer: Answer, shape: z.ZodType<T>): T {
  const body = decodeJson(shape, answer.text);
  if (body === null) throw notUnderstood(answer);
  return body;
}

/** Throws for a link that leads out of the subscription, and would take the token elsewhere. */
function requireWithin(subscriptionUrl: string, link: string): void {
  const base = new URL(`${subscriptionUrl.toLowerCase()}/`);
  const url = URL.canParse(link) ? new URL(link) : null;
  if (url?.origin === base.origin && url.pathname.toLowerCase().startsWith(base.pathname)) return;
  throw new ProviderError("unavailable", "Azure names a next page that is not in the subscription");
}

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.coerce.number().positive() });
const tokenErrorSchema = z.object({ error: z.string(), error_description: z.string().optional() });

/** The application's token, asked for once and kept until it expires or is refused. */
function tokenSource(credentials: AzureCredentials, loginUrl: string) {
  let kept: { readonly token: string; readonly usableUntil: number } | null = null;
  return {
    async token(): Promise<string> {
      if (kept !== null && Date.now() < kept.usableUntil) return kept.token;
      const answer = await ask("Azure", `${loginUrl}/${credentials.tenant_id}/oauth2/v2.0/token`, {
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({
          grant_type: "client_credentials",
          client_id: credentials.client_id,
          client_secret: credentials.client_secret,
          scope: "https://management.azure.com/.default",
        }).toString(),
      });
      if (!isSuccess(answer)) throw errorOfLogin(answer);
      const { access_token, expires_in } = decoded(answer, tokenSchema);
      kept = { token: access_token, usableUntil: Date.now() + expires_in * 1000 - TOKEN_MARGIN_MS };
      return access_token;
    },
    forget(): void {
      kept = null;
    },
  };
}

function errorOfLogin(answer: Answer): ProviderError {
  const named = decodeJson(tokenErrorSchema, answer.text);
  if (named === null) return errorOf(answer, null);
  const isRefusal = answer.status === 400 || answer.status === 401 || answer.status === 403;
  const isPassing = named.error === "temporarily_unavailable";
  const code = isPassing ? "unavailable" : isRefusal ? "unauthorised" : null;
  return errorOf(answer, code, `${named.error}: ${named.error_description ?? ""}`);
}

const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

function errorOfAnswer(answer: Answer): ProviderError {
  const named = decodeJson(errorSchema, answer.text)?.error;
  if (named === undefined) return errorOf(answer, null);
  const error = errorOf(answer, codeOf(named.code, named.message), `${named.code}: ${named.message}`);
  return new AzureError(named.code, answer.status, error);
}

/**
 * Null for a code that is not known: then the HTTP status decides. No code means by itself that a machine does not
 * exist, `ResourceNotFound` included, which may be about one of its disks.
 */
function codeOf(azureCode: string, message: string): ProviderErrorCode | null {
  switch (azureCode) {
    case "AuthenticationFailed":
    case "AuthorizationFailed":
    case "ExpiredAuthenticationToken":
    case "InvalidAuthenticationToken":
    case "InvalidAuthenticationTokenTenant":
    case "InvalidSubscriptionId":
    case "LinkedAuthorizationFailed":
    case "SubscriptionNotFound":
      return "unauthorised";
    case "ResourceCollectionRequestsThrottled":
    case "ResourceRequestsThrottled":
    case "SubscriptionRequestsThrottled":
    case "TooManyRequests":
      return "rate_limited";
    case "AllocationFailed":
    case "OverconstrainedAllocationRequest":
    case "OverConstrainedAllocationRequest":
    case "OverconstrainedZonalAllocationRequest":
    case "QuotaExceeded":
    case "SkuNotAvailable":
    case "ZonalAllocationFailed":
      return "no_capacity";
    // One code for two things: only the words tell a quota that is used up from a state that forbids the operation.
    case "OperationNotAllowed":
      return /quota/i.test(message) ? "no_capacity" : "refused";
    // It is just being changed, so the order is not possible yet.
    case "AnotherOperationInProgress":
    case "Conflict":
    case "OperationPreempted":
    case "ResourceUpdateBlockedOnPlatformUpdate":
    case "RetryableError":
      return "unavailable";
    // These come with the status of missing permissions, but more permissions would not help.
    case "DenyAssignmentAuthorizationFailed":
    case "ReadOnlyDisabledSubscription":
    case "RequestDisallowedByPolicy":
      return "refused";
    default:
      return null;
  }
}
