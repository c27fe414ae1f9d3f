import { fromHono, type OpenAPIRoute } from "chanfana";
import { Hono } from "hono";
import type { Role } from "./accounts/roles.ts";
import { ChangeAccount, GetAccount } from "./api/account.ts";
import { PostActionResult } from "./api/actions.ts";
import { DeliverDigest } from "./api/admin/deliver-digest.ts";
import { EndOrder } from "./api/admin/end-order.ts";
import { ExportUser, ImportUser } from "./api/admin/export.ts";
import { InspectFleet } from "./api/admin/inspect-fleet.ts";
import { InspectInstance } from "./api/admin/inspect-instance.ts";
import { ListUserTokens } from "./api/admin/list-tokens.ts";
import { ReconcileUser } from "./api/admin/reconcile.ts";
import { ReleaseDeliveries } from "./api/admin/release.ts";
import { RepeatOrder } from "./api/admin/repeat-order.ts";
import { RestoreFleet, RestoreInstance } from "./api/admin/restore.ts";
import { GetService } from "./api/admin/service.ts";
import { CreateSignInLink } from "./api/admin/sign-in-link.ts";
import { CreateUser, DeleteUser, GetUser, ListUsers, ResumeUser, SuspendUser } from "./api/admin/users.ts";
import { CreateUserToken, ListServiceEvents, RevokeUserToken, StartCleanup } from "./api/admin.ts";
import { AdoptMachines } from "./api/adopt-machines.ts";
import { countHeartbeats, GetStatus, PostStatus } from "./api/agent-status.ts";
import { AcknowledgeAlert } from "./api/alerts/acknowledge.ts";
import { ListAlerts } from "./api/alerts/list.ts";
import { EndSnooze, SnoozeAlerts } from "./api/alerts/snooze.ts";
import { ListAudit } from "./api/audit.ts";
import { GetBudget, PutBudget } from "./api/budget.ts";
import { ChangeChannel } from "./api/channels/change.ts";
import { SendConfirmation } from "./api/channels/confirm.ts";
import { CreateChannel } from "./api/channels/create.ts";
import { DeleteChannel } from "./api/channels/delete.ts";
import { ListChannels } from "./api/channels/list.ts";
import { TestChannel } from "./api/channels/test.ts";
import { GetConfirmChannelPage, PostConfirmChannelPage } from "./api/confirm-channel-page.ts";
import {
  ChangeConnection,
  CheckConnection,
  CreateConnection,
  DeleteConnection,
  ListConnections,
} from "./api/connections.ts";
import { GetCosts } from "./api/costs/get.ts";
import { GetCostReport } from "./api/costs/report.ts";
import { EnrollMachine } from "./api/enroll.ts";
import { CreateEnrollment, DeleteEnrollment, ListEnrollments } from "./api/enrollments.ts";
import { ListEvents } from "./api/events.ts";
import { GetHealth } from "./api/health.ts";
import { GetHibernateAll } from "./api/hibernate-all/progress.ts";
import { HibernateAll } from "./api/hibernate-all/start.ts";
import { DisconnectIdentity } from "./api/identities.ts";
import { ChangeInstance } from "./api/instances/change.ts";
import { GetInstanceCosts } from "./api/instances/costs.ts";
import { ListInstanceEvents } from "./api/instances/events.ts";
import { GetInstance } from "./api/instances/get.ts";
import { ListHeartbeats } from "./api/instances/heartbeats.ts";
import { Hibernate } from "./api/instances/hibernate.ts";
import { KeepAlive } from "./api/instances/keep-alive.ts";
import { ListInstances } from "./api/instances/list.ts";
import { GetPreparation } from "./api/instances/preparation.ts";
import { PreviewLifecycle } from "./api/instances/preview.ts";
import { RegisterInstance } from "./api/instances/register.ts";
import { RemoveInstance } from "./api/instances/remove.ts";
import { RotateInstanceToken } from "./api/instances/token.ts";
import { Wake } from "./api/instances/wake.ts";
import { WhyThen } from "./api/instances/why.ts";
import { GetInventory, SyncConnection } from "./api/inventory.ts";
import { CreateInvitation, DeleteInvitation, ListInvitations } from "./api/invitations.ts";
import { GetKeepAlivePage, PostKeepAlivePage } from "./api/keep-alive-page/page.ts";
import { OpenLiveConnection } from "./api/live.ts";
import { ChangePerson, ListPeople, RemovePerson } from "./api/people.ts";
import { GetPolicy, PutPolicy } from "./api/policy.ts";
import {
  DeletePolicyPreview,
  GetPolicyPreview,
  ListPolicyPreviewInstances,
  ListPolicyPreviews,
} from "./api/policy-previews/read.ts";
import { StartPolicyPreview } from "./api/policy-previews/start.ts";
import { DeleteProvider, GetProvider, PutProvider } from "./api/providers.ts";
import { GetSavings } from "./api/savings.ts";
import { SignIn, SignOut } from "./api/session.ts";
import { GetSession } from "./api/session-of-browser.ts";
import { DeleteSession, ListSessions } from "./api/sessions.ts";
import { MailSignInLink } from "./api/sign-in/mail-link.ts";
import { FinishOpenIdSignIn, FollowLinkWithOpenId, StartOpenIdSignIn } from "./api/sign-in/openid.ts";
import { ListWaysToSignIn } from "./api/sign-in/ways.ts";
import { CreateToken, DeleteToken, ListTokens } from "./api/tokens.ts";
import { WhoAmI } from "./api/whoami.ts";
import { GetAgent } from "./downloads/route.ts";
import { operationsOf, writeDownActs } from "./http/audit.ts";
import { requireSocketToken, requireToken } from "./http/authenticate.ts";
import { constantDocument } from "./http/constant-document.ts";
import type { ApiContext } from "./http/endpoint.ts";
import type { ApiEnvironment } from "./http/environment.ts";
import { answerError, notFound } from "./http/errors.ts";
import { registerShapes } from "./http/registry.ts";
import { nameRelease } from "./http/release.ts";
import { withRequestId } from "./http/request-id.ts";
import { requireSettings } from "./http/require-settings.ts";
import { requireRole, withRoles } from "./http/roles.ts";
import { GetMetrics } from "./metrics/route.ts";
import { version } from "./platform/version.ts";

/** Every route of the service. */
export function createRouter(): Hono<ApiEnvironment> {
  const app = new Hono<ApiEnvironment>();
  app.use(withRequestId);
  app.onError(answerError);
  app.use(requireSettings);
  app.notFound((c) => answerError(notFound(), c));

  const api = fromHono(app, {
    openapi_url: null,
    docs_url: null,
    redoc_url: null,
    passthroughErrors: true,
    generateOperationIds: false,
    schema: {
      info: {
        title: "Dumont Agent System",
        version,
        description:
          "Heartbeats and lifecycle of rented GPU and CPU instances. Each answer names its request by the header `X-Request-Id`: tell it to whoever runs the service when you ask about that request.",
      },
    },
  });
  registerShapes(api.registry);

  // What a user needs to ask for a route: to scrape, to see, to act on machines, policies, channels and alerts, or to hold the
  // account's keys. The handler of a route that demands no role finds nobody who asks, and fails.
  const [scrape, see, act, own] = [
    routesFor("metrics"),
    routesFor("viewer"),
    routesFor("operator"),
    routesFor("owner"),
  ];
  function routesFor(role: Role) {
    const check = requireRole(role);
    const route = (method: "get" | "post" | "put" | "patch" | "delete") => {
      return (path: string, endpoint: typeof OpenAPIRoute<[ApiContext]>) => {
        app[method](path, check);
        api[method](path, endpoint);
      };
    };
    return {
      get: route("get"),
      post: route("post"),
      put: route("put"),
      patch: route("patch"),
      delete: route("delete"),
    };
  }

  // The document holds the routes below too: it is made when somebody asks.
  app.get(
    "/openapi.json",
    constantDocument(() => withRoles(api.schema, app.routes)),
  );

  app.use("/healthz", nameRelease(version));
  api.get("/healthz", GetHealth);

  api.get("/api/session", GetSession);
  app.use("/api/*", writeDownActs(operationsOf(() => api.registry.definitions)));

  api.get("/api/session/ways", ListWaysToSignIn);
  api.post("/api/session/links", MailSignInLink);
  api.get("/api/session/openid", StartOpenIdSignIn);
  api.post("/api/session/openid", FollowLinkWithOpenId);
  api.get("/api/session/openid/callback", FinishOpenIdSignIn);
  api.post("/api/session", SignIn);
  api.delete("/api/session", SignOut);

  api.get("/api/agent/status", GetStatus);
  app.post("/api/agent/status", countHeartbeats, requireToken("instance"));
  api.post("/api/agent/status", PostStatus);

  app.post("/api/agent/enroll", requireToken("enrollment"));
  api.post("/api/agent/enroll", EnrollMachine);

  app.get("/api/agent/live", requireSocketToken("user"));
  see.get("/api/agent/live", OpenLiveConnection);

  app.use("/api/agent/*", requireToken("user"));
  scrape.get("/api/agent/whoami", WhoAmI);
  see.get("/api/agent/instances", ListInstances);
  act.post("/api/agent/instances", RegisterInstance);
  see.get("/api/agent/instances/:id", GetInstance);
  act.patch("/api/agent/instances/:id", ChangeInstance);
  act.delete("/api/agent/instances/:id", RemoveInstance);
  act.post("/api/agent/instances/:id/token", RotateInstanceToken);
  act.post("/api/agent/instances/:id/keep-alive", KeepAlive);
  act.post("/api/agent/instances/:id/lifecycle/preview", PreviewLifecycle);
  act.post("/api/agent/instances/:id/hibernate", Hibernate);
  act.post("/api/agent/instances/:id/wake", Wake);
  see.get("/api/agent/instances/:id/preparation", GetPreparation);
  see.get("/api/agent/instances/:id/heartbeats", ListHeartbeats);
  see.get("/api/agent/instances/:id/events", ListInstanceEvents);
  see.get("/api/agent/instances/:id/costs", GetInstanceCosts);
  see.get("/api/agent/instances/:id/why", WhyThen);
  see.get("/api/agent/events", ListEvents);
  see.get("/api/agent/hibernate-all", GetHibernateAll);
  act.post("/api/agent/hibernate-all", HibernateAll);
  see.get("/api/agent/budget", GetBudget);
  act.put("/api/agent/budget", PutBudget);
  see.get("/api/agent/policy", GetPolicy);
  act.put("/api/agent/policy", PutPolicy);
  see.get("/api/agent/policy/preview", ListPolicyPreviews);
  act.post("/api/agent/policy/preview", StartPolicyPreview);
  see.get("/api/agent/policy/preview/:id", GetPolicyPreview);
  act.delete("/api/agent/policy/preview/:id", DeletePolicyPreview);
  see.get("/api/agent/policy/preview/:id/instances", ListPolicyPreviewInstances);
  see.get("/api/agent/costs", GetCosts);
  see.get("/api/agent/costs/report", GetCostReport);
  see.get("/api/agent/savings", GetSavings);
  see.get("/api/agent/alerts", ListAlerts);
  act.post("/api/agent/alerts/:id/acknowledge", AcknowledgeAlert);
  act.put("/api/agent/alerts/snoozes/:instance_id", SnoozeAlerts);
  act.delete("/api/agent/alerts/snoozes/:instance_id", EndSnooze);
  see.get("/api/agent/channels", ListChannels);
  act.post("/api/agent/channels", CreateChannel);
  act.patch("/api/agent/channels/:id", ChangeChannel);
  act.delete("/api/agent/channels/:id", DeleteChannel);
  act.post("/api/agent/channels/:id/test", TestChannel);
  act.post("/api/agent/channels/:id/confirmation", SendConfirmation);
  see.get("/api/agent/connections", ListConnections);
  own.post("/api/agent/connections", CreateConnection);
  own.patch("/api/agent/connections/:id", ChangeConnection);
  own.delete("/api/agent/connections/:id", DeleteConnection);
  act.post("/api/agent/connections/:id/check", CheckConnection);
  see.get("/api/agent/enrollments", ListEnrollments);
  act.post("/api/agent/enrollments", CreateEnrollment);
  act.delete("/api/agent/enrollments/:id", DeleteEnrollment);
  see.get("/api/agent/providers/:kind", GetProvider);
  own.put("/api/agent/providers/:kind", PutProvider);
  own.delete("/api/agent/providers/:kind", DeleteProvider);
  see.get("/api/agent/inventory", GetInventory);
  act.post("/api/agent/connections/:id/sync", SyncConnection);
  act.post("/api/agent/inventory/adopt", AdoptMachines);
  act.post("/api/agent/actions/:id/result", PostActionResult);

  see.get("/api/agent/people", ListPeople);
  own.patch("/api/agent/people/:id", ChangePerson);
  own.delete("/api/agent/people/:id", RemovePerson);
  see.delete("/api/agent/people/:id/identities/:identityId", DisconnectIdentity);
  own.get("/api/agent/invitations", ListInvitations);
  own.post("/api/agent/invitations", CreateInvitation);
  own.delete("/api/agent/invitations/:id", DeleteInvitation);
  own.get("/api/agent/audit", ListAudit);
  see.get("/api/agent/account", GetAccount);
  own.patch("/api/agent/account", ChangeAccount);
  see.get("/api/agent/tokens", ListTokens);
  own.post("/api/agent/tokens", CreateToken);
  see.delete("/api/agent/tokens/:id", DeleteToken);
  see.get("/api/agent/sessions", ListSessions);
  see.delete("/api/agent/sessions/:id", DeleteSession);

  app.get("/metrics", requireToken("user", "admin"));
  scrape.get("/metrics", GetMetrics);

  app.use("/api/admin/*", requireToken("admin"));
  api.post("/api/admin/users", CreateUser);
  api.get("/api/admin/users", ListUsers);
  api.get("/api/admin/users/:id", GetUser);
  api.delete("/api/admin/users/:id", DeleteUser);
  api.post("/api/admin/users/:id/suspend", SuspendUser);
  api.post("/api/admin/users/:id/resume", ResumeUser);
  api.post("/api/admin/users/:id/tokens", CreateUserToken);
  api.delete("/api/admin/tokens/:id", RevokeUserToken);
  api.post("/api/admin/users/:id/sign-in-links", CreateSignInLink);
  api.post("/api/admin/users/:id/instances/:instance_id/release", ReleaseDeliveries);
  api.post("/api/admin/cleanup", StartCleanup);
  api.get("/api/admin/events", ListServiceEvents);
  api.get("/api/admin/service", GetService);

  api.get("/api/admin/users/:id/tokens", ListUserTokens);
  api.get("/api/admin/users/:id/fleet", InspectFleet);
  api.post("/api/admin/users/:id/digests/:digest_id/deliver", DeliverDigest);
  api.get("/api/admin/users/:id/instances/:instance_id", InspectInstance);
  api.post("/api/admin/users/:id/instances/:instance_id/order/end", EndOrder);
  api.post("/api/admin/users/:id/instances/:instance_id/order/repeat", RepeatOrder);
  api.get("/api/admin/users/:id/export", ExportUser);
  api.post("/api/admin/users/:id/import", ImportUser);
  api.post("/api/admin/users/:id/reconcile", ReconcileUser);
  api.post("/api/admin/users/:id/restore", RestoreFleet);
  api.post("/api/admin/users/:id/instances/:instance_id/restore", RestoreInstance);

  api.get("/downloads/agent/:version/:file", GetAgent);

  api.get("/keep-alive/:token", GetKeepAlivePage);
  api.post("/keep-alive/:token", PostKeepAlivePage);

  api.get("/confirm-channel/:token", GetConfirmChannelPage);
  api.post("/confirm-channel/:token", PostConfirmChannelPage);
  return app;
}
