//! Foods from files of others: the Korean MFDS, and FoodData Central of the USDA. In batches, each of them a transaction, and
//! the same file again changes nothing. What a file has not is left as it is: files hold parts.
//!
//! - `mfds`, `usda`: reading them; `entry`: a food of a file, and whether it can be

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    fs::File,
    io::{BufRead, BufReader, Seek},
    path::PathBuf,
};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use sqlx::PgPool;
use tokio::sync::mpsc;

use super::rows;

mod entry;
mod mfds;
mod usda;

use entry::{Entry, Skip};

/// Rows of a transaction.
const BATCH: usize = 1_000;
/// The largest file of those that are read here has a fifth of it.
const FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Warnings that are told one by one.
const TOLD_MAX: usize = 20;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// 전국통합식품영양성분정보 of the Korean MFDS: the CSV of the data portal, in UTF-8 or CP949, or pages of its API as JSON.
    Mfds,
    /// `FoodData` Central of the USDA: its JSON of Foundation Foods, SR Legacy or FNDDS.
    Usda,
}

/// The command.
#[derive(Args, Clone, Debug)]
pub struct Import {
    file: PathBuf,
    /// Whose file it is.
    #[arg(long)]
    source: Source,
    /// Only says what would become of it.
    #[arg(long)]
    check: bool,
}

/// What became of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// Nothing was kept.
    is_check: bool,
    /// What is counted: lines or foods.
    unit: &'static str,
    read: u64,
    added: u64,
    changed: u64,
    /// Why, how many, and the first of them.
    skipped: BTreeMap<Skip, (u64, u64)>,
    /// How many have an energy that is off.
    off: u64,
    told: Vec<String>,
    /// Why it ends here. What stands above is done.
    pub fault: Option<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped: u64 = self.skipped.values().map(|(count, _)| count).sum();
        let same = self.read - skipped - self.added - self.changed;
        let Self { read, added, changed, .. } = self;
        write!(f, "read {read}, added {added}, changed {changed}, same {same}, skipped {skipped}")?;
        writeln!(f, "{}", if self.is_check { "; a check: nothing was kept" } else { "" })?;
        for (why, (count, first)) in &self.skipped {
            writeln!(f, "skipped {count}, first {} {first}: {why}", self.unit)?;
        }
        for told in &self.told {
            writeln!(f, "warning, {told}")?;
        }
        if self.off > self.told.len() as u64 {
            writeln!(f, "and {} more warnings", self.off - self.told.len() as u64)?;
        }
        Ok(())
    }
}

/// A food as it was read, with the line or the number at which it stands.
struct Line {
    at: u64,
    entry: Result<Entry, Skip>,
}

/// What a reader hands on; false when nobody wants more.
type Each<'a> = &'a mut dyn FnMut(u64, Result<Entry, Skip>) -> bool;

enum Piece {
    Batch(Vec<Line>),
    /// The file cannot be read on.
    Fault(String),
}

impl Import {
    /// Reads the file into the table, or only says what would become of it.
    ///
    /// # Errors
    /// The file is not there, too large, or packed; Postgres is away.
    pub async fn run(&self, pool: &PgPool) -> anyhow::Result<Report> {
        let (source, check, shown) = (self.source, self.check, self.file.display().to_string());
        let file = File::open(&self.file).with_context(|| shown.clone())?;
        let size = file.metadata()?.len();
        ensure!(size <= FILE_BYTES_MAX, "{shown} has {size} bytes, more than {FILE_BYTES_MAX}");
        let mut file = BufReader::with_capacity(64 * 1024, file);
        let head = file.fill_buf().with_context(|| shown.clone())?;
        ensure!(!head.starts_with(b"PK"), "{shown} is a zip: unpack it first");
        let is_json = source == Source::Usda || begins_as_json(&mut file)?;
        let mut report = Report { is_check: check, unit: if is_json { "food" } else { "line" }, ..Report::default() };
        let (send, mut pieces) = mpsc::channel(2);
        let reading = tokio::task::spawn_blocking(move || read(file, source, is_json, &send));
        while let Some(piece) = pieces.recv().await {
            match piece {
                Piece::Batch(lines) => report.count(pool, lines, check).await?,
                Piece::Fault(fault) => report.fault = Some(format!("{shown}, {fault}")),
            }
        }
        reading.await?;
        Ok(report)
    }
}

fn begins_as_json(file: &mut BufReader<File>) -> anyhow::Result<bool> {
    let head = file.fill_buf()?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_json = head.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[".contains(byte));
    file.rewind()?;
    Ok(is_json)
}

/// Reads to the end, to the first fault, or until nobody wants more.
fn read(mut file: impl BufRead, source: Source, is_json: bool, send: &mpsc::Sender<Piece>) {
    let (mut ids, mut batch) = (HashSet::new(), Vec::new());
    let mut each = |at, entry: Result<Entry, Skip>| {
        let entry =
            entry.and_then(|entry: Entry| if ids.insert(entry.row.id.clone()) { Ok(entry) } else { Err(Skip::Twice) });
        batch.push(Line { at, entry });
        batch.len() < BATCH || send.blocking_send(Piece::Batch(std::mem::take(&mut batch))).is_ok()
    };
    let skipped = skip_mark(&mut file).map_err(|error| error.to_string());
    let done = skipped.and_then(|()| match source {
        Source::Usda => usda::read(file, &mut each),
        Source::Mfds if is_json => mfds::read_json(file, &mut each),
        Source::Mfds => mfds::read_csv(file, &mut each),
    });
    // Of a batch that has a fault nothing is kept.
    let last = match done {
        Ok(()) => Piece::Batch(batch),
        Err(fault) => Piece::Fault(fault),
    };
    // Who does not listen any more has failed, and says so.
    let _gone = send.blocking_send(last);
}

/// The mark that some programs put before UTF-8.
fn skip_mark(file: &mut impl BufRead) -> std::io::Result<()> {
    if file.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        file.consume(3);
    }
    Ok(())
}

impl Report {
    async fn count(&mut self, pool: &PgPool, lines: Vec<Line>, check: bool) -> anyhow::Result<()> {
        let mut rows = Vec::with_capacity(lines.len());
        for Line { at, entry } in lines {
            self.read += 1;
            match entry {
                Ok(Entry { row, off }) => {
                    if let Some((declared, computed)) = off {
                        self.off += 1;
                        if self.told.len() < TOLD_MAX {
                            let unit = self.unit;
                            let told = format!("{unit} {at}: {} has {declared} kcal, what is in it {computed}", row.id);
                            self.told.push(told);
                        }
                    }
                    rows.push(row);
                }
                Err(why) => self.skipped.entry(why).or_insert((0, at)).0 += 1,
            }
        }
        let mut tx = pool.begin().await?;
        // Beside a server that starts, and more than a request may take.
        sqlx::query!("set local statement_timeout = '60s'").execute(&mut *tx).await?;
        sqlx::query!("select pg_advisory_xact_lock(hashtext('foods'))").execute(&mut *tx).await?;
        let put = rows::put(&mut tx, &rows).await?;
        if check {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        self.added += put.added;
        self.changed += put.changed;
        Ok(())
    }
}
