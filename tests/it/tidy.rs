//! The directions of the design, read from the sources: who may import whom, who writes which table, what is nowhere.
//!
//! When one of these fails, either the change or the design is wrong. Say which in the commit; an exception stands here,
//! with its reason.

use std::{
    fs,
    path::{Path, PathBuf},
};

use source::Source;

mod source;

/// Pure: time is an argument, chance comes from nowhere, nothing waits.
const PURE: &[&str] = &[
    "rules",
    "nutrition",
    "rooms::board",
    "rooms::credits",
    "rooms::history",
    "rooms::ladder",
    "rooms::presence",
    "rooms::push",
];
const FEATURES: &[&str] = &["accounts", "challenges", "foods", "meals"];
const GROUND: &[&str] = &[
    "auth",
    "body",
    "bus",
    "clock",
    "config",
    "db",
    "error",
    "idempotency",
    "jobs",
    "limits",
    "mail",
    "media",
    "outside",
    "photos",
    "telemetry",
    "vision",
];
/// Puts all together, and may know all.
const TOP: &[&str] = &["main", "lib", "app", "web"];

/// Who writes a table; anybody may read it.
const OWNERS: &[(&str, &str)] = &[
    ("analyses", "meals"),
    ("challenges", "challenges"),
    ("bodies", "accounts"),
    ("codes", "accounts"),
    ("consents", "accounts"),
    ("exports", "accounts"),
    ("food_names", "foods"),
    ("food_tables", "foods"),
    ("foods", "foods"),
    ("guesses", "accounts"),
    ("idempotency_keys", "idempotency"),
    ("identities", "accounts"),
    ("journal", "journal"),
    ("meal_versions", "meals"),
    ("meals", "meals"),
    ("oidc_events", "accounts"),
    ("oidc_flows", "accounts"),
    ("oidc_tickets", "accounts"),
    ("outcomes", "challenges"),
    ("photos", "photos"),
    ("products", "foods"),
    ("refresh_tokens", "accounts"),
    ("rounds", "challenges"),
    ("sessions", "accounts"),
    ("signing_keys", "auth"),
    ("standings", "journal"),
    ("streams", "journal"),
    ("users", "accounts"),
    ("verdicts", "challenges"),
    ("cheat_days", "challenges"),
    ("waters", "meals"),
    ("weights", "accounts"),
];

const LINES_MAX: usize = 450;
/// Longer ones, with their bound and the reason.
const LONG: &[(&str, usize)] = &[];

/// Hosts that a file may name: this machine, what the project is made from, and names of formats. Those that RFC 2606
/// keeps for examples are free.
const HOSTS: &[&str] = &[
    "127.0.0.1",
    "192.0.2.1",
    "[::1]",
    "docs.rs",
    "github.com",
    "kapi.kakao.com",
    "kauth.kakao.com",
    "keepachangelog.com",
    "localhost",
    "ns.adobe.com",
    "rust-lang.org",
    "rustup.rs",
    "semver.org",
    "sh.rustup.rs",
    "vision.googleapis.com",
    "world.openfoodfacts.org",
    "www.apache.org",
    "www.rfc-editor.org",
    "www.w3.org",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under a folder of the repository, as a path from its root.
fn files_under(folder: &str) -> Vec<String> {
    const NOT_OURS: &[&str] = &[".git", ".lastbite", "node_modules", "target", "tmp", "vendor"];
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry: PathBuf = entry.unwrap().path();
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if entry.is_dir() && !NOT_OURS.contains(&name.as_str()) {
                folders.push(entry);
            } else if entry.is_file() {
                found.push(entry.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn is_rust(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs")
}

/// The sources of the server.
fn server() -> Vec<Source> {
    files_under("src").into_iter().filter(|path| is_rust(path)).map(|path| Source::read(&path, &read(&path))).collect()
}

fn all_rust() -> Vec<String> {
    let folders = ["src", "tests", "protocol", "photo", "recogniser", "loadtest"];
    folders.into_iter().flat_map(files_under).filter(|path| is_rust(path)).collect()
}

/// Whether a path lies in one of the modules.
fn within(path: &str, modules: &[&str]) -> bool {
    modules.iter().any(|module| path == *module || path.strip_prefix(module).is_some_and(|rest| rest.starts_with("::")))
}

#[track_caller]
fn none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

/// What files of these modules name of the crate and may not.
fn forbidden(from: &[&str], may_not: impl Fn(&str) -> bool) -> Vec<String> {
    let of_modules = server().into_iter().filter(|source| within(&source.module, from));
    of_modules
        .flat_map(|source| {
            let named = source.own_paths();
            let faults: Vec<_> = named.into_iter().filter(|path| may_not(path)).collect();
            faults.into_iter().map(move |path| format!("{} names crate::{path}", source.path))
        })
        .collect()
}

#[test]
fn the_sources_are_read_at_all() {
    let sources = server();
    let journal = sources.iter().find(|source| source.path == "src/journal.rs").unwrap();
    assert!(journal.own_paths().contains(&"bus::Bus".to_owned()), "{:?}", journal.own_paths());
    assert!(journal.foreign_paths().contains(&"sqlx::types::Json".to_owned()), "{:?}", journal.foreign_paths());
    let board = sources.iter().find(|source| source.path == "src/rooms/board.rs").unwrap();
    assert!(board.own_paths().contains(&"rooms::ladder::Ladder".to_owned()), "{:?}", board.own_paths());
    let written: usize = sources.iter().map(|source| source.tables_written().len()).sum();
    assert!(written > 15, "{written} statements that write");
    for module in PURE.iter().chain(FEATURES).chain(GROUND).chain(TOP) {
        assert!(sources.iter().any(|source| source.module == *module), "there is no {module}");
    }
}

#[test]
fn what_is_pure_names_only_what_is_pure() {
    none(&forbidden(PURE, |path| !within(path, PURE)), "PURE modules know only each other");
    const IMPURE: &[&str] = &[
        "async_nats",
        "axum",
        "chrono::Local",
        "metrics",
        "rand",
        "reqwest",
        "sqlx",
        "std::env",
        "std::fs",
        "std::net",
        "std::thread",
        "std::time::Instant",
        "std::time::SystemTime",
        "tokio",
        "tracing",
    ];
    let mut faults = Vec::new();
    for source in server().into_iter().filter(|source| within(&source.module, PURE)) {
        let impure = source.foreign_paths().into_iter().filter(|path| within(path, IMPURE));
        faults.extend(impure.map(|path| format!("{} names {path}", source.path)));
        let words = ["now", "now_v4", "now_v7", "new_v4", "generate", "random"];
        faults.extend(words.iter().filter(|word| source.calls(word)).map(|word| format!("{}: {word}()", source.path)));
        faults.extend(source.floats().into_iter().map(|float| format!("{}: {float}", source.path)));
    }
    none(&faults, "PURE modules know no clock, chance, socket, database, task or float");
}

#[test]
fn features_do_not_know_each_others_insides_nor_rooms() {
    for feature in FEATURES {
        let inside = |path: &str| {
            FEATURES
                .iter()
                .any(|other| other != feature && within(path, &[&format!("{other}::http"), &format!("{other}::store")]))
        };
        let faults = forbidden(&[feature], |path| inside(path) || within(path, &["rooms", "demo", "web"]));
        none(&faults, "a feature imports neither another one's http or store, nor rooms or the way in");
    }
}

#[test]
fn rooms_know_no_feature() {
    let above = |path: &str| within(path, FEATURES) || within(path, &["demo", "web"]);
    none(&forbidden(&["rooms"], above), "rooms know no feature, and not the way in");
}

#[test]
fn the_ground_and_the_waist_know_nothing_above_them() {
    let above = |path: &str| within(path, FEATURES) || within(path, &["rooms", "demo", "web"]);
    none(&forbidden(GROUND, |path| above(path) || within(path, &["journal"])), "the ground knows nothing above it");
    none(&forbidden(&["journal"], above), "the journal knows no feature and no room");
}

#[test]
fn the_demo_looks_into_nothing_but_the_clock() {
    none(&forbidden(&["demo"], |path| !within(path, &["demo", "clock"])), "the demo plays through the API");
}

#[test]
fn every_module_has_its_place() {
    let placed = |module: &str| within(module, &[PURE, FEATURES, GROUND, TOP, &["journal", "rooms", "demo"]].concat());
    let faults: Vec<_> = server().iter().map(|source| source.module.clone()).filter(|module| !placed(module)).collect();
    none(&faults, "a new module of the crate is named in this test, and so gets its rules");
}

#[test]
fn only_the_journal_announces() {
    let faults: Vec<_> = server()
        .into_iter()
        .filter(|source| source.calls("publish") && !within(&source.module, &["journal", "bus"]))
        .map(|source| source.path)
        .collect();
    none(&faults, "what happened is told on the bus by the journal, after its commit");
}

#[test]
fn a_table_is_written_by_its_owner() {
    let mut faults = Vec::new();
    for source in server() {
        for table in source.tables_written() {
            match OWNERS.iter().find(|(name, _)| *name == table) {
                None => faults.push(format!("{}: {table} has no owner named here", source.path)),
                Some((_, owner)) if !within(&source.module, &[owner]) => {
                    faults.push(format!("{} writes {table}, which is {owner}'s", source.path));
                }
                Some(_) => {}
            }
        }
    }
    none(&faults, "only the owner writes a table");
}

#[test]
fn nothing_is_unbounded_or_left_to_do() {
    const NOWHERE: &[&str] = &["unbounded", "unbounded_channel", "todo", "unimplemented", "dbg"];
    let mut faults = Vec::new();
    for path in all_rust() {
        let source = Source::read(&path, &read(&path));
        let words = NOWHERE.iter().filter(|word| source.says(word));
        faults.extend(words.map(|word| format!("{path}: {word}")));
    }
    none(&faults, "every queue has a capacity, and what is begun is finished");
}

#[test]
fn every_file_says_what_it_is_and_is_short() {
    let mut faults = Vec::new();
    for path in all_rust() {
        let text = read(&path);
        if !text.starts_with("//! ") {
            faults.push(format!("{path} does not begin with what it is"));
        }
        let most = LONG.iter().find(|(long, _)| *long == path).map_or(LINES_MAX, |(_, most)| *most);
        let lines = text.lines().count();
        if lines > most {
            faults.push(format!("{path} has {lines} lines, more than {most}"));
        }
    }
    none(&faults, "a file begins with `//!` and can be read at one sitting");
}

fn is_known(host: &str) -> bool {
    let is_example = |host: &str| {
        ["example", "example.com", "invalid", "test"]
            .iter()
            .any(|made_up| host.strip_suffix(made_up).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    };
    HOSTS.contains(&host) || is_example(host)
}

#[test]
fn nothing_tells_of_the_machine_it_was_made_on() {
    // In two parts, so that this file does not name them.
    let folders = [["/ro", "ot/"], ["/wo", "rk/"], ["/ho", "me/"], ["/Us", "ers/"]].map(|parts| parts.concat());
    let mut faults = Vec::new();
    for path in files_under("").into_iter().filter(|path| !path.starts_with("protocol/fixtures")) {
        // Pictures and the like are not text.
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        let named = folders.iter().filter(|folder| text.contains(folder.as_str()));
        faults.extend(named.map(|folder| format!("{path} names {folder}")));
        let hosts = source::hosts(&text).into_iter().filter(|host| !is_known(host));
        faults.extend(hosts.map(|host| format!("{path} names the host {host}")));
    }
    none(&faults, "no path of a machine, and no host that is not known here");
}
