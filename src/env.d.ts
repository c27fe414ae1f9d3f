/** Secrets that an operator may leave out; `wrangler types` knows only those that are required. */
interface Env {
  SMTP_USERNAME?: string;
  SMTP_PASSWORD?: string;
  OPENID_CLIENT_SECRET?: string;
}
