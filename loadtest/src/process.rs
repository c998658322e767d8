//! What Linux tells of a process under `/proc`.

use std::fs;

use anyhow::{Context as _, ensure};

/// `/proc` counts CPU time in hundredths of a second on every Linux of today (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident memory in KiB.
pub(crate) fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).with_context(|| format!("{path} has no VmRSS"))
}

/// CPU time used so far by all its threads, in user and kernel mode, in seconds.
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    cpu_seconds_of(&stat).with_context(|| format!("{path} reads strangely"))
}

/// The name of the program stands in brackets and may hold anything: what follows the last bracket has no surprises.
fn cpu_seconds_of(stat: &str) -> Option<f64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // Fields 14 and 15 of the manual's count, which begins with the id and the name.
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / TICKS_PER_SECOND)
}

/// Refuses a run that would need more descriptors than this process may open.
pub(crate) fn ensure_descriptors(needed: u32) -> anyhow::Result<()> {
    // Where it cannot be read, the run itself will tell.
    let Ok(limits) = fs::read_to_string("/proc/self/limits") else { return Ok(()) };
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let allowed = line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok()).unwrap_or(u32::MAX);
    let needed = needed.saturating_add(200);
    ensure!(needed <= allowed, "this needs {needed} open files and {allowed} are allowed: `ulimit -n {needed}` first");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_does_not_confuse() {
        let stat = "42 (a) b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 8 0 100 1 1";
        assert_eq!(cpu_seconds_of(stat), Some(3.0));
    }

    #[test]
    fn this_process_has_memory() {
        assert!(resident_kib(std::process::id()).expect("/proc") > 0);
        assert!(cpu_seconds(std::process::id()).is_ok());
    }
}
