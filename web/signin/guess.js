// What can be guessed without asking: what a device is from its `User-Agent`, and whether a nickname may be one.

const BROWSERS = [
  [/\bKAKAOTALK\b/i, "KakaoTalk"],
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bWhale\//, "Whale"],
  [/\b(?:OPR|Opera)\//, "Opera"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const SYSTEMS = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac(?:intosh| OS X)\b/, "Mac"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

/** `Chrome, Android` for what a browser calls itself, however much of it is left; any other name stays as it is. */
export function deviceOf(name) {
  if (!name.startsWith("Mozilla/")) return name.trim();
  const first = (table) => table.find(([pattern]) => pattern.test(name))?.[1];
  return [first(BROWSERS), first(SYSTEMS)].filter(Boolean).join(", ");
}

/** `quiet` while there is nothing to say, `invalid`, or `checking` when the server has to be asked. */
export function nicknameState(name) {
  // A lone jamo at the end is a syllable that is still being typed.
  if (name.length < 2 || /[ㄱ-ㅎㅏ-ㅣ]$/.test(name)) return "quiet";
  return /^[A-Za-z0-9_가-힣]{2,50}$/.test(name) ? "checking" : "invalid";
}
