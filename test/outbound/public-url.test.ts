import fc from "fast-check";
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
  "https://localhost../",
  "https://metadata.google.internal../",
  "https://127.0.0.1../",
  "https://0x7f.1.../",
  "https://a..example.com/",
  "https://metadata.goog/",
  "https://metadata.tencentyun.com/",
  "https://168.63.129.16/",
  "https://[::127.0.0.1]/",
  "https://[::a9fe:a9fe]/",
  "https://[::ffff:0:127.0.0.1]/",
  "https://[64:ff9b:1::10.0.0.1]/",
  "https://[fd20:ce::254]/",
  "https://[fec0::1]/",
  "https://[3fff::1]/",
  "https://[4000::1]/",
  "https://[2001:2::1]/",
  "https://[2002:0808:0808::1]/",
  "https://[2606:4700::5efe:a00:1]/",
  ...[
    ...["test", "example", "invalid", "localhost", "local", "onion", "alt", "internal"],
    ...["home", "corp", "mail", "lan", "private", "intranet", "localdomain", "home.arpa"],
  ].flatMap((ending) => [`https://hooks.${ending}/`, `https://hooks.${ending.toUpperCase()}./`]),
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
    "https://example.com./",
    "https://local.example.com/",
    "https://xn--p1ai.xn--p1ai/",
    "https://bücher.example.com/",
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

  it("is refused however a private address is spelt", () => {
    fc.assert(
      fc.property(spelling, (host) => {
        expect(refuseUrl(`https://${host}/`, false), host).toEqual(expect.any(String));
      }),
      { numRuns: 2000 },
    );
  });

  it("is refused for any address of IPv6 outside what is given to the public", () => {
    const outside = fc.uint8Array({ minLength: 16, maxLength: 16 }).filter(([first = 0]) => first >> 5 !== 1);
    fc.assert(
      fc.property(outside, (bytes) => {
        expect(refuseUrl(`https://[${grouped(bytes)}]/`, false)).toEqual(expect.any(String));
      }),
    );
  });
});

const byte = fc.integer({ min: 0, max: 255 });
const privateAddress = fc.oneof(
  fc.tuple(fc.constantFrom(0, 10, 127), byte, byte, byte),
  fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
  fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
  fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
  fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
  fc.tuple(fc.integer({ min: 224, max: 255 }), byte, byte, byte),
  fc.constant<[number, number, number, number]>([168, 63, 129, 16]),
);

/** A number of an address as the URL parser reads it: decimal, octal, or hexadecimal. */
const numeral = fc.constantFrom(
  (value: number) => String(value),
  (value: number) => `0${value.toString(8)}`,
  (value: number) => `0x${value.toString(16)}`,
  (value: number) => `0X000${value.toString(16).toUpperCase()}`,
);

/** Where an address of IPv4 may stand within one of IPv6. */
const embedding = fc.constantFrom(
  (tail: string) => `::${tail}`,
  (tail: string) => `::ffff:${tail}`,
  (tail: string) => `::ffff:0:${tail}`,
  (tail: string) => `64:ff9b::${tail}`,
  (tail: string) => `64:ff9b:1::${tail}`,
  (tail: string) => `2001:0:1:2:3:4:${tail}`,
  (tail: string) => `2606:4700::5efe:${tail}`,
  (tail: string) => `2606:4700::200:5efe:${tail}`,
);

const dots = fc.constantFrom("", ".", "..", "....");

const spelling = privateAddress.chain((parts) => {
  const [a, b, c, d] = parts;
  const [high, low] = [((a << 8) | b).toString(16), ((c << 8) | d).toString(16)];
  const oneToFourParts = fc.constantFrom(
    [a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d],
    [a, b * 2 ** 16 + c * 2 ** 8 + d],
    [a, b, c * 2 ** 8 + d],
    parts,
  );
  return fc.oneof(
    fc
      .tuple(oneToFourParts, numeral, dots)
      .map(([values, write, end]) => `${values.map(write).join(".")}${end}`),
    fc
      .tuple(embedding, fc.constantFrom(parts.join("."), `${high}:${low}`))
      .map(([embed, tail]) => `[${embed(tail)}]`),
    fc.constant(`[2002:${high}:${low}::1]`),
  );
});

function grouped(bytes: Uint8Array): string {
  return Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  ).join(":");
}
