/** A service account's key file, as Google's console gives it out, with a key pair made for this run. */

const ALGORITHM = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
};

export const PROJECT_ID = "gpu-lab-1234";

const pair = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
if (!("privateKey" in pair)) throw new Error("no pair of keys");
const exported = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
if (!(exported instanceof ArrayBuffer)) throw new Error("no bytes");
const lines = btoa(String.fromCharCode(...new Uint8Array(exported))).match(/.{1,64}/g) ?? [];

export const publicKey = pair.publicKey;

export const keyFile = {
  type: "service_account",
  project_id: PROJECT_ID,
  private_key_id: "1ed3aae07f98f3e6da78ad308b41232133d006cf",
  private_key: `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`,
  client_email: `dumont@${PROJECT_ID}.iam.gserviceaccount.com`,
  client_id: "102851000000000000000",
  auth_uri: "https://accounts.google.com/o/oauth2/auth",
  token_uri: "https://oauth2.googleapis.com/token",
  auth_provider_x509_cert_url: "https://www.googleapis.com/oauth2/v1/certs",
  client_x509_cert_url: `https://www.googleapis.com/robot/v1/metadata/x509/dumont%40${PROJECT_ID}.iam.gserviceaccount.com`,
  universe_domain: "googleapis.com",
};
