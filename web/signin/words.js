// What went wrong, in kind words, and which field it is about. What the server said stays unsaid: it is for programs.

import { number } from "../shared/format.js";
import { t } from "../shared/language.js";

const PROBLEMS = {
  busy: "problem_busy",
  overloaded: "problem_busy",
  database_away: "problem_away",
  signed_out: "signin_note_out",
  refresh_invalid: "problem_session_ended",
  refresh_reused: "problem_session_ended",
  session_ended: "problem_session_ended",
  account_gone: "problem_session_ended",
};
/** Those whose words are under their own name. */
const NAMED = [
  "credentials_wrong", "account_blocked", "email_taken", "nickname_taken", "email_invalid", "nickname_invalid",
  "password_weak", "code_wrong", "network", "missing",
];
/** Why another site, where one is known, sent the visitor back without a ticket. */
const AT_THE_DOOR = {
  cancelled: "problem_cancelled",
  state_invalid: "problem_state_invalid",
  provider_unavailable: "problem_provider_away",
  too_young: "problem_too_young",
  account_blocked: "problem_account_blocked",
  too_many_requests: "problem_too_many",
};

/** The fields a refusal is about, the likeliest first. */
export const FIELDS = {
  credentials_wrong: ["password"],
  email_taken: ["email"],
  email_invalid: ["email"],
  nickname_taken: ["nickname"],
  nickname_invalid: ["nickname"],
  password_weak: ["new_password", "password"],
  code_wrong: ["code"],
};

/** What a problem says to whom it meets; `isAtTheDoor` is for those of signing in elsewhere. */
export function words({ code, status = 0, retry_after = null, values = {}, isAtTheDoor = false }) {
  if (isAtTheDoor) return t(AT_THE_DOOR[code] ?? "problem_sign_in", { wait: wait(retry_after) });
  const known = NAMED.includes(code) ? `problem_${code}` : PROBLEMS[code];
  if (code === "missing") return t(known, { field: t(values.field) });
  if (status === 429 || code.startsWith("too_many_")) return t("problem_too_many", { wait: wait(retry_after) });
  return t(known ?? "problem_other", { wait: wait(retry_after) });
}

/** Rounded up: who waits as long as it says is let in. */
function wait(seconds) {
  if (seconds === null) return t("signin_wait_unknown");
  const [unit, length_s] = seconds < 90 ? ["seconds", 1] : seconds < 5400 ? ["minutes", 60] : ["hours", 3600];
  const raw = Math.max(1, Math.ceil(seconds / length_s));
  return t(`signin_wait_${unit}`, { raw, count: number(raw) });
}
