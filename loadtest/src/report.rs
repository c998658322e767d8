//! What a run came to: a table for people, and the same figures as a JSON file.

use std::{collections::BTreeMap, fmt::Display, io::Write as _, path::Path};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::arrivals::Quantiles;

/// The result of a command, with what it was run against.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a, T> {
    pub(crate) command: &'a str,
    pub(crate) target: &'a str,
    /// By the server's clock.
    pub(crate) finished_at: DateTime<Utc>,
    /// Ended early by Ctrl-C.
    pub(crate) ended_early: bool,
    pub(crate) result: T,
    /// What went wrong how often, by code.
    pub(crate) errors: BTreeMap<String, u64>,
}

/// The lines of a table.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<(String, String)>);

impl Table {
    pub(crate) fn line(&mut self, name: impl Into<String>, value: impl Display) -> &mut Self {
        self.0.push((name.into(), value.to_string()));
        self
    }

    pub(crate) fn quantiles(&mut self, name: &str, of: &Quantiles) -> &mut Self {
        let Quantiles { count, p50_ms, p90_ms, p99_ms, p999_ms, max_ms } = of;
        let values = format!(
            "p50 {p50_ms:.1} ms  p90 {p90_ms:.1}  p99 {p99_ms:.1}  p99.9 {p999_ms:.1}  max {max_ms:.1}  ({count} measured)"
        );
        self.line(name, values)
    }
}

/// A result that can be told as a table.
pub(crate) trait Tell {
    fn tell(&self, table: &mut Table);
}

impl<T: Tell + Serialize> Report<'_, T> {
    /// Prints the table, and writes the file when one is wished for.
    pub(crate) fn publish(&self, json: Option<&Path>) -> anyhow::Result<()> {
        let mut table = Table::default();
        self.result.tell(&mut table);
        for (code, count) in &self.errors {
            table.line(format!("error: {code}"), count);
        }
        let early = if self.ended_early { ", ended early" } else { "" };
        say(format_args!("\n{} against {}, {}{early}", self.command, self.target, self.finished_at.to_rfc3339()));
        for (name, value) in &table.0 {
            say(format_args!("  {name:<26} {value}"));
        }
        if let Some(path) = json {
            let mut text = serde_json::to_string_pretty(self)?;
            text.push('\n');
            std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }
}

/// A line for whoever runs the test. A terminal that is gone is no reason to stop measuring.
pub(crate) fn say(line: impl Display) {
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

/// So many a second; zero when no time has passed.
pub(crate) fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}
