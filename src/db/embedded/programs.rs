//! Finding the programs of Postgres on this machine. It installs none: the script `x` does that.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{EmbeddedError, Options, Result};

/// The oldest Postgres that Lastbite is tested with.
pub(super) const MAJOR_MIN: u32 = 15;
const PROGRAMS: [&str; 3] = ["initdb", "postgres", "pg_ctl"];

/// The folder of the newest programs; for data that exists, of those that made it, since no other version can read it.
pub(super) fn find(options: &Options, data: &Path) -> Result<PathBuf> {
    let made_by: Option<u32> =
        fs::read_to_string(data.join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok());
    let fits = |major: u32| made_by.map_or(major >= MAJOR_MIN, |made_by| made_by == major);
    let folders = options.bin_dir.clone().map_or_else(|| candidates(options), |named| vec![named]);
    let found = folders.into_iter().filter_map(|folder| real_folder(&folder)).find(|bin| major(bin).is_some_and(fits));
    found.ok_or_else(|| match (made_by, &options.bin_dir) {
        (Some(made_by), _) => EmbeddedError::OtherVersion { data: data.to_owned(), made_by },
        (None, Some(named)) => EmbeddedError::NotPrograms(named.clone()),
        (None, None) => EmbeddedError::NotFound,
    })
}

/// `setpriv` of util-linux, unless it cannot bind the life of a child to ours (the one of busybox cannot).
pub(super) fn find_setpriv(path: Option<&OsStr>) -> Option<PathBuf> {
    let folders = on_path(path).chain([PathBuf::from("/usr/bin"), PathBuf::from("/bin")]);
    let mut found = folders.map(|folder| folder.join("setpriv")).filter(|program| program.is_file());
    found.find(|setpriv| {
        let trial = quiet(setpriv).args(["--pdeathsig", "INT", "--"]).arg(setpriv).arg("--version").status();
        trial.is_ok_and(|status| status.success())
    })
}

fn candidates(options: &Options) -> Vec<PathBuf> {
    let of_debian = newest_first(Path::new("/usr/lib/postgresql"), "");
    let unpacked = options.cache_dir.iter().flat_map(|cache| newest_first(cache, "postgres-"));
    of_debian.into_iter().chain(on_path(options.path.as_deref())).chain(unpacked).collect()
}

fn on_path(path: Option<&OsStr>) -> impl Iterator<Item = PathBuf> {
    path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default().into_iter()
}

/// `parent/<prefix><version>/bin`, by version.
fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<(Vec<u32>, PathBuf)> = entries
        .filter_map(|entry| {
            Some((version(entry.file_name().to_str()?.strip_prefix(prefix)?)?, entry.path().join("bin")))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, bin)| bin).collect()
}

fn version(text: &str) -> Option<Vec<u32>> {
    text.split('.').map(|number| number.parse().ok()).collect()
}

/// Behind the links that some systems put on PATH; None unless all the programs are there.
fn real_folder(folder: &Path) -> Option<PathBuf> {
    let initdb = folder.join("initdb").canonicalize().ok()?;
    let real = initdb.parent()?.to_owned();
    PROGRAMS.iter().all(|program| real.join(program).is_file()).then_some(real)
}

/// `postgres (PostgreSQL) 17.2 (Debian 17.2-1)` is 17.
fn major(bin: &Path) -> Option<u32> {
    let output = quiet(&bin.join("postgres")).stdout(Stdio::piped()).arg("--version").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let number = said.strip_prefix("postgres (PostgreSQL) ")?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn quiet(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        let parent = std::env::temp_dir().join(format!("lastbite-versions-{}", std::process::id()));
        for name in ["9", "18.6.3", "18.10.0", "17", "common"] {
            fs::create_dir_all(parent.join(name)).unwrap();
        }
        let found = newest_first(&parent, "");
        let expected = ["18.10.0", "18.6.3", "17", "9"].map(|name| parent.join(name).join("bin"));
        assert_eq!(found, expected);
        fs::remove_dir_all(&parent).unwrap();
    }
}
