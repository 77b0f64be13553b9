/** Values of headers, hosts and targets that make readers of lists, pairs, quoted text, addresses and patterns work hard. */

/** A value that repeats one text, with others around it, which make parsers fail late. */
export interface Shape {
  readonly before: string;
  readonly repeated: string;
  readonly behind: string;
}

/** What separates, quotes and escapes. */
const MARKS = [
  ...[",", ";", ";;=", "=", "&", "&=", "&&%", ":", "::", ".", "..", "-", "-."],
  ...[
    "/",
    "//",
    "/.",
    "/..",
    "/./",
    "/../",
    "\\",
    "\\\\",
    "/\\",
    "?",
    "#",
    "@",
  ],
  ...['"', '\\"', '"\\', '"a",', '"a" ', "'", "''", "(", "((a)", "<", "<a>,"],
  ...["*", "*,", "*/*,", "+", "~", "_", "|", "[", "[::1]", "[:", "]", "{", "}"],
  ...[" ", "\t", " \t", "\xa0", " ,", ", ", "\t,", "; ", " ;", " = ", "a "],
];

/** Encodings, and encodings of them. */
const ENCODED = [
  ...["%", "%%", "%2", "%2%", "%41", "%00", "%25", "%2525", "%252f", "%2e"],
  ...["%2e%2e/", "%2f", "%5c", "%c3", "%c3%a9", "%ff", "%u0041", "+%2b", "&%"],
  ...[
    "%ff.",
    "%c3.",
    "%25ff.",
    "%=",
    "=%&",
    "&%ff=",
    "%ff%ff%ff%ff%ff&",
    "%e2%82&",
  ],
  ...[`${"%ff".repeat(9)}&`, `${"%44".repeat(9)}&`, `%44%41%59%54%4f&`],
  ...["&#38;", "=?q?", "\\u0041", "xn--", "xn--a.", "\xe9", "\xff", "\xc3\xa9"],
];

/** Members of lists, and pairs. */
const MEMBERS = [
  ...["a", "A", "0", "1.", "a,", "a, ", "a=b", "a=b;", "; a=b", "a=b; ", "a=;"],
  ...["=a;", '; a="b"', ';a="', "; __Host-a=b", "; porthole-a=b", ";a=%41"],
  ...["; daytona-sandbox-auth-a=b", "; __secure-porthole-", "__Host-", "a=b&"],
  ...[
    "porthole_token=a&",
    "&DAYTONA_SANDBOX_AUTH_KEY=a",
    "%70orthole_token=a&",
  ],
  ...["a;q=", "a;q=0.1,", "a/b;q=1,", "text/html,", "text/*;", "en-US,", "en-"],
  ...["0-1,", "bytes=0-1,", "-1,", "1-,", "W/", 'W/"a",', '"a"', "no-cache,"],
  ...["max-age=1,", 'private="a",', "close,", "upgrade,", "upgrade ", "keep-"],
  ...[
    "for=a;",
    'for="[::1]";',
    "for=a, ",
    "by=a;for=",
    "proto=http,",
    "1.1.1.1,",
  ],
  ...["::1,", "0:", "1:", "255.", "1.1.1.1:1,", "fe80::1%a,", "unknown,"],
  ...["trailers,", "gzip,", "chunked,", "origin,", "x-a,", "websocket,", "13,"],
];

/** What patterns of the source nearly match, again and again. */
const NEARLY = [
  ...[
    "https://",
    "https:/",
    "http://a",
    "http://a.",
    "https://a:1",
    "https://a.",
  ],
  ...[
    "a-",
    "a_",
    "._-",
    "-a.",
    "a.-",
    "3000-",
    "3000-a.",
    "0-",
    "A-Z",
    "localhost:",
  ],
  ...[
    "localhost.",
    "127.0.0.1",
    "//localhost",
    "mailto:",
    "tel:",
    "a:1",
    "a.a:",
  ],
  ...[
    "eyJ",
    "eyJa.",
    "eyJa.a.",
    "-eyJa.",
    "dtn_",
    "ghp_",
    "sk-",
    "AKIA",
    "token",
  ],
  ...["token=", "secret&", "auth", "api_key", "Bearer ", "Basic ", "bearer a "],
  ...[
    "bot",
    "http",
    "previe",
    "Mozilla/",
    "(compatible; ",
    "prefetch;",
    "prefetc",
  ],
  ...["refresh;url=", "1;url='", "url=", "inspect", "charset=", "cs", "iso-"],
  ...["iframe", "document", "navigate", "same-", "?1", "?0,", "true", "null,"],
  ...[
    "/sandbox/",
    "/toolbox/",
    "/api/v1/",
    "/.porthole/",
    "/snapshots/a/",
    "/a/a",
  ],
  ...[
    "Basic realm=",
    "a.a",
    "a.a.",
    "00-",
    "00-0",
    "vendor=1,",
    "a@b=1,",
    "sha-256",
  ],
];

/** What else than a letter may stand around them. */
const AROUND = [["", ""], ["a=", '"'], ['"', "\\"], ["Bearer ", "="]] as const;

/** More than two hundred texts, each between letters, and between others. */
export const NASTY: readonly Shape[] = [MARKS, ENCODED, MEMBERS, NEARLY].flat()
  .flatMap((repeated, i) => {
    const [before, behind] = AROUND[i % AROUND.length] ?? ["", ""];
    return [
      { before: "a", repeated, behind: "a" },
      { before, repeated, behind },
    ];
  });
