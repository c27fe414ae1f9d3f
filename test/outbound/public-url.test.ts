import { describe, expect, it } from "vitest";
import { refuseUrl } from "../../src/outbound/public-url.ts";

/** Ways to make a service call what its user may not reach, after OWASP's list of SSRF bypasses. */
const REFUSED = [
  "http://example.com/",
  "ftp://example.com/",
  "file:///etc/passwd",
  "javascript:alert(1)",
  "data:text/plain,x",
  "//example.com",
  "example.com",
  "",
  "https://",
  "https://user@example.com/",
  "https://user:secret@example.com/",
  "https://example.com@127.0.0.1/",
  "https://127.0.0.1/",
  "https://127.1/",
  "https://2130706433/",
  "https://0x7f000001/",
  "https://0x7f.0.0.1/",
  "https://0177.0.0.1/",
  "https://017700000001/",
  "https://127.0.0.1./",
  "https://127.0.0.1:8443/",
  "https://①②⑦.⓪.⓪.①/",
  "https://0/",
  "https://0.0.0.0/",
  "https://10.0.0.1/",
  "https://172.16.0.1/",
  "https://172.31.255.255/",
  "https://192.168.1.1/",
  "https://169.254.169.254/latest/meta-data/",
  "https://2852039166/latest/meta-data/",
  "https://100.64.0.1/",
  "https://100.100.100.200/",
  "https://192.0.0.192/",
  "https://198.18.0.1/",
  "https://203.0.113.1/",
  "https://224.0.0.1/",
  "https://240.0.0.1/",
  "https://255.255.255.255/",
  "https://[::1]/",
  "https://[::]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[::ffff:7f00:1]/",
  "https://[0:0:0:0:0:ffff:169.254.169.254]/",
  "https://[64:ff9b::127.0.0.1]/",
  "https://[2002:7f00:1::]/",
  "https://[2001::1]/",
  "https://[fe80::1]/",
  "https://[fc00::1]/",
  "https://[fd00:ec2::254]/",
  "https://[ff02::1]/",
  "https://[2001:db8::1]/",
  "https://localhost/",
  "https://LOCALHOST./",
  "https://foo.localhost/",
  "https://metadata.google.internal/",
  "https://printer.local/",
  "https://router.lan/",
  "https://intranet/",
];

describe("an address that a user names", () => {
  it.each(REFUSED)("is refused: %s", (url) => {
    expect(refuseUrl(url, false)).toEqual(expect.any(String));
  });

  it.each([
    "https://hooks.slack.com/services/T0/B0/x",
    "https://example.com:8443/path?query",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]/",
    "https://bücher.example/",
  ])("may be called: %s", (url) => {
    expect(refuseUrl(url, false)).toBeNull();
  });

  it("may stand on this machine for local tests, and nowhere else private", () => {
    expect(refuseUrl("http://127.0.0.1:9/", true)).toBeNull();
    expect(refuseUrl("http://localhost:9/", true)).toBeNull();
    expect(refuseUrl("http://[::1]:9/", true)).toBeNull();
    expect(refuseUrl("http://10.0.0.1/", true)).toEqual(expect.any(String));
    expect(refuseUrl("https://169.254.169.254/", true)).toEqual(expect.any(String));
    expect(refuseUrl("http://user@127.0.0.1/", true)).toEqual(expect.any(String));
  });
});
