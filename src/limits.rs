//! The bounds of the server, each with its reason where it is not plain. The unit is in the name. A bound that one part
//! alone knows of stands at the top of that part: of a picture in `photo`, of the rules in `rules`.

use std::time::Duration;

use chrono::TimeDelta;

// ── HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Connections the kernel holds for us. The default of 128 makes a storm wait a second for a repeated SYN.
pub const LISTEN_BACKLOG: i32 = 4096;
/// Sockets, and plain requests beside them; below what a process may open on the usual machine.
pub const CONNECTIONS_MAX: usize = SOCKETS_MAX + 2_000;
/// An answer of which the client takes nothing for so long is given up, or it would hold memory and a drain.
pub const ANSWER_STALL_TIMEOUT: Duration = Duration::from_secs(10);
/// From connect or the end of the last request to the end of the next header; ends a slow-loris.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
pub const URL_BYTES_MAX: usize = 4 * 1024;
/// From the first to the last byte of a body: a photo over a bad mobile line.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The body's time and ten seconds of our own work.
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(40);
pub const JSON_BYTES_MAX: usize = 64 * 1024;
pub const JSON_DEPTH_MAX: usize = 32;
pub const REQUESTS_IN_FLIGHT_MAX: usize = 256;
/// Uploads hold their photo in memory while they wait for a decoder.
pub const UPLOADS_IN_FLIGHT_MAX: usize = 32;
/// Requests that wait for what is seen on a photo; well under all that may be under way.
pub const LOOKS_IN_FLIGHT_MAX: usize = 96;
/// From the beginning of such a request: what is not seen by then, the answer does not know. Leaves time for the network in the
/// binary, and the answer.
pub const LOOK_ENDS_WITHIN: Duration = Duration::from_secs(32);
/// How long a request waits for a free place before it is told to come back.
pub const IN_FLIGHT_WAIT: Duration = Duration::from_millis(500);
pub const RETRY_AFTER_S: u64 = 1;
pub const PAGE_ITEMS_MAX: u32 = 100;
pub const PAGE_ITEMS_DEFAULT: u32 = 50;
pub const IDEMPOTENCY_KEY_CHARS: std::ops::RangeInclusive<usize> = 16..=255;
pub const IDEMPOTENCY_KEY_KEPT: Duration = Duration::from_secs(48 * 3600);
/// Old keys dropped in one statement, so that a backlog never meets the time-out of statements.
pub const IDEMPOTENCY_KEYS_FORGOTTEN_AT_ONCE: i64 = 5_000;

// ── Accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────

pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_secs(600);
pub const ACCESS_TOKEN_LEEWAY_S: u64 = 30;
pub const ACCESS_TOKEN_BYTES_MAX: usize = 2048;
/// A new key signs after this time, when every node has read it.
pub const SIGNING_KEY_SPREAD: Duration = Duration::from_secs(15);
pub const SIGNING_KEYS_READ_INTERVAL: Duration = Duration::from_secs(2);
/// How long a key is kept after the next one was made: until the last token that it signed has ended.
pub const SIGNING_KEY_OUTLIVES: Duration = Duration::from_secs(15 + 600 + 60);
/// How often a node looks which sessions others have ended; with the query itself well under the second that is promised.
pub const SESSIONS_LOOK_INTERVAL: Duration = Duration::from_millis(400);
/// As long as the last access token of a session that has ended, and what clocks may differ by.
pub const ENDED_SESSION_KEPT: Duration = Duration::from_secs(600 + 120);
/// Unused for so long, a session has ended.
pub const SESSION_IDLE: Duration = Duration::from_secs(30 * 86_400);
/// So long after it began it ends, however much it is used.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(90 * 86_400);
/// One more ends the one unused for longest.
pub const SESSIONS_PER_USER_MAX: i64 = 10;
/// So long the parent of the newest refresh token gets that same token again: a lost answer must not log a phone out.
pub const REFRESH_GRACE: Duration = Duration::from_secs(10);
pub const REFRESH_TOKEN_BYTES: usize = 32;
pub const DEVICE_CHARS_MAX: usize = 64;
pub const EMAIL_CHARS_MAX: usize = 254;
pub const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;
pub const PASSWORD_BYTES_MAX: usize = 512;
pub const NICKNAME_CHARS: std::ops::RangeInclusive<usize> = 2..=50;
/// A call to a provider of sign-in: to be connected, and in all.
pub const PROVIDER_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
pub const PROVIDER_TIMEOUT: Duration = Duration::from_secs(5);
pub const PROVIDER_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long a provider's document and keys are taken for what they were.
pub const PROVIDER_KNOWN: Duration = Duration::from_secs(86_400);
/// A key that is not among them is looked for there at most this often, so that forged tokens make no traffic.
pub const PROVIDER_KEYS_INTERVAL: Duration = Duration::from_secs(60);
/// A provider that did not answer is left alone so long.
pub const PROVIDER_PUT_OFF: Duration = Duration::from_secs(1);
pub const PROVIDER_TOKEN_BYTES_MAX: usize = 8 * 1024;
pub const PROVIDER_NONCE_BYTES_MAX: usize = 512;
/// What clocks of others may differ by.
pub const PROVIDER_CLOCK_AHEAD: Duration = Duration::from_secs(60);
/// From the start of a sign-in in the browser to its return.
pub const SIGN_IN_FLOW: Duration = Duration::from_secs(600);
/// From the return to the exchange of its ticket.
pub const SIGN_IN_TICKET: Duration = Duration::from_secs(60);
/// The sender of a webhook waits three seconds.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_millis(2_500);
/// An older event is not taken, so one that was taken is remembered for not much longer.
pub const EVENT_AGE_MAX: Duration = Duration::from_secs(7 * 86_400);
/// A hashing takes 19 MiB and about 40 ms of a core; more at once would slow the game.
pub const HASHINGS_AT_ONCE_MAX: usize = 2;
pub const HASHINGS_WAITING_MAX: usize = 32;
pub const ARGON2_MEMORY_KIB: u32 = 19_456;
pub const ARGON2_PASSES: u32 = 2;
pub const ARGON2_LANES: u32 = 1;

/// Failed sign-ins of an account within this time; with more, each makes the next one wait: 1, 2, 4 … 15 minutes.
pub const GUESSES_OF_ACCOUNT_MAX: i32 = 10;
pub const GUESSES_OF_ACCOUNT_WITHIN: Duration = Duration::from_secs(15 * 60);
pub const GUESS_WAIT_MINUTES_MAX: i64 = 15;
/// The same of an address, for whatever accounts.
pub const GUESSES_OF_ADDRESS_MAX: i32 = 100;
pub const GUESSES_OF_ADDRESS_WITHIN: Duration = Duration::from_secs(10 * 60);
/// Of the places for hashing and waiting, those for who comes from an address that is new to the account: a flood of them
/// leaves room for the others.
pub const HASHINGS_OF_STRANGERS_MAX: usize = 20;
/// Who has no password shows by signing in once more that the account is theirs; this long ago at most.
pub const SIGNED_IN_A_MOMENT_AGO: Duration = Duration::from_secs(600);
/// A code by mail.
pub const CODE_LIFETIME: Duration = Duration::from_secs(600);
pub const CODE_TRIES_MAX: i16 = 5;
/// Letters of one kind to one user.
pub const CODES_PER_HOUR_MAX: i16 = 3;

/// How long an export can be fetched.
pub const EXPORT_LIFETIME: Duration = Duration::from_secs(86_400);
/// One that was not written by then is given up, so that another can be asked for.
pub const EXPORT_WAITS_MAX: Duration = Duration::from_secs(86_400);
/// One writing of an export; what takes longer is begun anew.
pub const EXPORT_TIME_MAX: Duration = Duration::from_secs(600);
pub const EXPORT_PAGE_ROWS: u32 = 500;
pub const EXPORTS_FORGOTTEN_AT_ONCE: i64 = 1_000;

// ── Jobs ────────────────────────────────────────────────────────────────────────────────────────────────────────────

pub const JOB_CONNECTIONS_MAX: u32 = 3;
pub const JOBS_AT_ONCE_MAX: usize = 4;
/// Answers about diaries that a node keeps: some thousands.
pub const GLANCES_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Water of a day; more is a slip.
pub const WATER_ML_MAX: u32 = 20_000;
pub const DIARY_RANGE_DAYS_MAX: u64 = 366;
/// As many as a day of 24 hours can have and then some (`MEALS_NEAR_MAX`).
pub const DIARY_DAY_MEALS_MAX: i64 = 200;
/// Foods in an answer to a search.
pub const FOODS_FOUND_DEFAULT: u32 = 20;
pub const FOODS_FOUND_MAX: u32 = 50;
pub const FOOD_NAME_CHARS_MAX: usize = 100;
/// Foods that one user has made; each is looked at in every search of theirs.
pub const OWN_FOODS_MAX: i64 = 1_000;
pub const SERVINGS_MAX: usize = 10;
pub const SERVING_NAME_CHARS_MAX: usize = 50;
/// How like a part of a name has to be to what was typed, of 1.
pub const FOOD_LIKENESS: f32 = 0.5;
/// The same for a name to be taken without asking.
pub const FOOD_MEANT_LIKENESS: f32 = 0.75;

// ── Products by barcode ─────────────────────────────────────────────────────────────────────────────────────────────

/// One try; there are two.
pub const PRODUCTS_TIMEOUT: Duration = Duration::from_secs(5);
pub const PRODUCTS_RETRY_JITTER_MS_MAX: u64 = 300;
/// The fields that are asked for take some kilobytes.
pub const PRODUCTS_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Calls in all, tries included: no minute has more than 13. Open Food Facts documents 15 a minute and address, and bars
/// whoever asks more often; earlier it was 100.
pub const PRODUCTS_CALLS_BURST: u32 = 5;
pub const PRODUCTS_CALLS_PER_MINUTE: u32 = 8;
/// Failed so often in a row, it is left alone …
pub const PRODUCTS_FAILURES_MAX: u32 = 5;
/// … for so long; and at once when it says that it has too much to do.
pub const PRODUCTS_REST: Duration = Duration::from_secs(60);
/// How long a product is what it was.
pub const PRODUCT_KNOWN: TimeDelta = TimeDelta::days(30);
/// How long there is none, or none that can be a food: people add and correct them.
pub const PRODUCT_MISSING: TimeDelta = TimeDelta::days(1);

// ── Photos and who looks at them ────────────────────────────────────────────────────────────────────────────────────

pub const PHOTOS_PER_USER_DAY_MAX: i64 = 40;
/// A photo that nothing shows by then goes.
pub const PHOTO_UNSHOWN: Duration = Duration::from_secs(3600);
pub const PHOTOS_SWEPT_AT_ONCE: i64 = 1_000;
pub const PHOTO_LINK_LIFETIME: Duration = Duration::from_secs(600);
/// Of the 64 places of how a picture looks: where fewer are set, or all but fewer, it is flat and looks like many.
pub const PHOTO_LOOKS_BITS_MIN: i64 = 8;
/// One look of one who is asked; there are two tries.
pub const VISION_TIMEOUT: Duration = Duration::from_secs(15);
/// All looks of all who are outside.
pub const VISION_OUTSIDE_TIMEOUT: Duration = Duration::from_secs(30);
/// Twenty labels and twenty objects with their outlines.
pub const VISION_ANSWER_BYTES_MAX: usize = 64 * 1024;
pub const VISION_RETRY_JITTER_MS_MAX: u64 = 500;
/// Failed so often in a row, one who is asked is left alone …
pub const VISION_FAILURES_MAX: u32 = 5;
/// … for so long.
pub const VISION_REST: Duration = Duration::from_secs(30);
/// On one photo.
pub const VISION_FOODS_MAX: usize = 20;
/// A picture takes one processor for some 20 ms.
pub const EMBEDDED_LOOKS_AT_ONCE_MAX: usize = 2;
/// What the embedded network is less sure of than this is not worth telling.
pub const EMBEDDED_SURE_PERMILLE: u16 = 250;
/// Nor what it is less sure of than this worth proposing: `recogniser/README.md` has what it gets right at which bound.
pub const EMBEDDED_PROPOSED_PERMILLE: u16 = 500;
/// Photos of a user that are looked at within 24 hours, and of all users by those who are paid.
pub const ANALYSES_PER_USER_MAX: i64 = 20;
pub const ANALYSES_MAX: i64 = 20_000;
pub const ANALYSES_WITHIN: Duration = Duration::from_secs(86_400);
/// A look that takes longer is told to be going on.
pub const ANALYSIS_SLOW: Duration = Duration::from_secs(5);
/// What is less sure than this is asked, where a photo alone has to tell what a meal was.
pub const ANALYSIS_SURE_PERMILLE: u16 = 500;
/// The same of who tells names and no weights.
pub const NAME_SURE_PERMILLE: u16 = 900;
/// A proposal that no meal has used is forgotten then, with its photo.
pub const ANALYSIS_KEPT: Duration = Duration::from_secs(86_400);
/// A meal whose photo nobody has looked at is asked about then: after a day of 25 hours, the longest grace, and the 24 hours for which
/// a verdict waits, so that the wait ends as a void day and not as a missed one.
pub const ANALYSIS_GIVEN_UP: Duration = Duration::from_secs(4 * 86_400);

/// Foods of one's own that are offered when nothing was recognised, eaten before within so many days …
pub const USUAL_FOODS_MAX: i64 = 8;
pub const USUAL_FOODS_WITHIN: Duration = Duration::from_secs(60 * 86_400);
/// … and so near to the hour.
pub const USUAL_FOODS_NEAR_S: f64 = 2.0 * 3600.0;

/// How often what waits is counted, for the metrics.
pub const JOBS_MEASURE_INTERVAL: Duration = Duration::from_secs(15);
/// Jobs that are tried again, and those whose news was lost, begin within this time.
pub const JOBS_LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often a worker says that it lives …
pub const JOBS_HEARTBEAT: Duration = Duration::from_secs(10);
/// … and after which silence its jobs are another's.
pub const JOBS_WORKER_GONE: Duration = Duration::from_secs(60);
/// With the queue's growing pauses the last try is about 40 hours after the first.
pub const JOB_ATTEMPTS_MAX: i32 = 16;
/// A deleted account that is not erased by then is seen to again.
pub const ERASURE_WAITS_MAX: Duration = Duration::from_secs(12 * 3600);
/// How long a drain waits for a job that has begun; what is cut off is done again.
pub const JOB_GRACE: Duration = Duration::from_secs(5);

// ── Challenges and meals ────────────────────────────────────────────────────────────────────────────────────────────

pub const TITLE_CHARS: std::ops::RangeInclusive<usize> = 1..=80;
pub const DESCRIPTION_CHARS_MAX: usize = 2000;
pub const NOTE_CHARS_MAX: usize = 500;
pub const MEAL_ENERGY_KCAL_MAX: u32 = 10_000;
pub const MEAL_NUTRIENT_MG_MAX: u32 = 2_000_000;
/// Meals of a user eaten within a day before and after one: bounds the log that a verdict reads.
pub const MEALS_NEAR_MAX: i64 = 100;
/// The same with deleted ones, which a verdict keeps a record of.
pub const MEALS_NEAR_WITH_DELETED_MAX: i64 = 300;
/// Challenges a user plays at once: bounds the locks that one upload takes.
pub const CHALLENGES_AT_ONCE_MAX: i64 = 20;
pub const CHALLENGES_HOSTED_AT_ONCE_MAX: i64 = 20;
/// Months of diary partitions that are made ahead.
pub const MEAL_PARTITIONS_AHEAD_MONTHS: i32 = 3;

// ── The referee ─────────────────────────────────────────────────────────────────────────────────────────────────────

/// How often deadlines are looked at; a verdict is at most this late on an idle server.
pub const REFEREE_INTERVAL: Duration = Duration::from_millis(200);
/// A challenge whose step failed is left alone so long, so that it does not hold up the others.
pub const REFEREE_PUT_OFF: Duration = Duration::from_secs(1);
/// Players judged in one transaction; uploads to the challenge go on between two.
pub const JUDGED_AT_ONCE_MAX: i64 = 1000;
/// How often old keys are dropped and partitions made.
pub const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(3600);

// ── Postgres ────────────────────────────────────────────────────────────────────────────────────────────────────────

pub const API_CONNECTIONS_MAX: u32 = 12;
/// Judging has connections of its own, so that a flood of uploads cannot hold up a deadline.
pub const JUDGE_CONNECTIONS_MAX: u32 = 2;
/// And so has signing in, so that neither can a challenge whose uploads wait for each other.
pub const AUTH_CONNECTIONS_MAX: u32 = 4;
/// Also the time after which a database that went away is told to the client.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
pub const CONNECTION_LIFETIME: Duration = Duration::from_secs(1800);
pub const STATEMENT_TIMEOUT_MS: u32 = 5_000;
pub const LOCK_TIMEOUT_MS: u32 = 2_000;
pub const IDLE_IN_TRANSACTION_TIMEOUT_MS: u32 = 10_000;

// ── Rooms ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Rows of a board that every viewer sees.
pub const WINDOW_ROWS: usize = 50;
/// Rows above and below a player's own.
pub const AROUND_ROWS: usize = 3;
/// At most ten ticks a second; the first change after a pause goes out at once.
pub const TICK_INTERVAL: Duration = Duration::from_millis(100);
/// With the rows of a window a frame stays within 64 KiB, however long the names. What is more goes out in several ticks,
/// one right after the other.
pub const EVENTS_PER_TICK_MAX: usize = 50;
/// A player's own window, at most twice a second.
pub const ME_INTERVAL: Duration = Duration::from_millis(500);
pub const PRESENCE_INTERVAL: Duration = Duration::from_secs(1);
/// Ticks a room remembers for readers that come back.
pub const HISTORY_FRAMES_MAX: usize = 600;
pub const HISTORY_BYTES_MAX: usize = 1024 * 1024;
/// Events a room remembers for readers that come back with a number at which none of its ticks begins.
pub const EVENTS_REMEMBERED_MAX: usize = 1000;
/// A board made for somebody else some ticks ago serves a newcomer, with the ticks since: a second's worth.
pub const SNAPSHOT_TICKS_OLD_MAX: usize = 10;
/// Numbers of readers whose missed events are kept as text: after a cut most come back with one of very few.
pub const MISSED_TEXTS_MAX: usize = 64;
/// How long a socket waits for a room that has to be read from Postgres.
pub const ROOM_OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Batches on the way from a commit to a room; a room that lags asks the journal.
pub const BUS_BATCHES_MAX: usize = 1024;
/// How often open rooms compare their number with the journal's; repairs lost news.
pub const SLOW_TICK_INTERVAL: Duration = Duration::from_secs(2);
/// Events read from the journal at a time.
pub const CATCH_UP_EVENTS: i64 = 1000;
/// Events told one by one to a reader that was away for long; one that missed more gets a board only.
pub const MISSED_EVENTS_MAX: u64 = 100_000;
/// Reads of the journal for readers that were away for long, at the same time.
pub const CATCH_UPS_AT_ONCE_MAX: usize = 2;
/// A room nobody watches is kept so long.
pub const ROOM_IDLE: Duration = Duration::from_secs(30);

// ── Sockets ─────────────────────────────────────────────────────────────────────────────────────────────────────────

pub const SOCKETS_MAX: usize = 15_000;
/// One more, and the oldest of the user's is told to go.
pub const SOCKETS_PER_USER_MAX: usize = 5;
/// Upgrades of one address at once, for each hundred sockets that it may hold …
pub const UPGRADES_BURST: usize = 30;
/// … and how many of them come back in a second.
pub const UPGRADES_PER_SECOND: usize = 10;
/// A household or an office behind one address; players and spectators together.
pub const SOCKETS_PER_ADDRESS_MAX: usize = 100;
pub const SPECTATORS_PER_ADDRESS_MAX: usize = 30;
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
pub const CLIENT_NAME_CHARS_MAX: usize = 64;
pub const STREAMS_PER_SOCKET_MAX: usize = 32;
pub const MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// The library's default of 128 KiB is allocated at once for every socket.
pub const SOCKET_READ_BUFFER_BYTES: usize = 2048;
pub const SOCKET_WRITE_BUFFER_BYTES_MAX: usize = 128 * 1024;
/// Of the kernel: small, so that a reader that stalls is noticed before megabytes are hidden.
pub const SOCKET_SEND_BUFFER_BYTES: usize = 64 * 1024;
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// A client may say this many things at once …
pub const COMMANDS_BURST: u32 = 30;
/// … and gets one more back at this interval: 120 a minute.
pub const COMMAND_REFILL: Duration = Duration::from_millis(500);
pub const PING_INTERVAL: Duration = Duration::from_secs(25);
pub const PONG_TIMEOUT: Duration = Duration::from_secs(10);
/// Long-lived sockets are spread anew over the nodes; a tenth more or less, so that they do not all come at once.
pub const SOCKET_AGE_MAX: Duration = Duration::from_secs(2 * 3600);

// ── Shutdown ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Clients come back spread over this time.
pub const DRAIN_SPREAD: Duration = Duration::from_secs(15);
/// Whatever still runs then is cut.
pub const DRAIN_HARD_END: Duration = Duration::from_secs(30);
/// A connection that hangs must not keep the process.
pub const DATABASE_CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
