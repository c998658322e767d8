//! Work that outlives a request: put down in the transaction of its cause, done at least once, tried again with growing
//! pauses when it fails.
//!
//! The queue is `graphile_worker` on our own Postgres. What a job does must bear being done twice.

use std::time::Duration;

use anyhow::Context;
use graphile_worker::{
    JobComplete, JobFail, JobPermanentlyFail, LocalQueueConfig, RefetchDelayConfig, TaskHandler, WorkerOptions,
    WorkerRecoveryConfig, WorkerShutdownConfig,
};
use serde::Serialize;
use sqlx::{PgConnection, PgPool, postgres::PgPoolOptions};
use tokio_util::sync::CancellationToken;

use crate::limits;

/// Brings the queue's own tables to the shape that this version needs.
///
/// # Errors
/// Postgres is away.
pub async fn migrate(url: &str) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
    WorkerOptions::default().pg_pool(pool.clone()).init().await.context("the tables of the job queue")?;
    pool.close().await;
    Ok(())
}

/// Puts a job down; it is done after the transaction has committed, and never if it has not. Of jobs with the same `key`
/// that have not begun there is one.
///
/// # Errors
/// Postgres is away.
pub async fn enqueue<T: TaskHandler + Serialize>(
    db: &mut PgConnection,
    job: &T,
    key: Option<&str>,
) -> anyhow::Result<()> {
    // The function is the library's own, which the check of our queries does not know.
    sqlx::query(
        "select from graphile_worker.add_job($1, payload => $2::json, job_key => $3, max_attempts => $4::integer)",
    )
    .bind(T::IDENTIFIER)
    .bind(serde_json::to_value(job)?)
    .bind(key)
    .bind(limits::JOB_ATTEMPTS_MAX)
    .execute(db)
    .await?;
    Ok(())
}

/// A worker on these connections, to which the features add their jobs.
#[must_use]
pub fn options(pool: &PgPool, drain: &CancellationToken) -> WorkerOptions {
    let shutdown = WorkerShutdownConfig::default()
        .listen_os_shutdown_signals(false)
        .grace_period(limits::JOB_GRACE)
        .shutdown_signal(drain.clone().cancelled_owned());
    // With nothing to do, the library's queue of jobs asks for more as fast as Postgres answers, unless it is told to wait.
    // News of a job end the wait.
    let rest = RefetchDelayConfig::default().with_duration(limits::JOBS_LOOK_INTERVAL).with_max_abort_threshold(1);
    WorkerOptions::default()
        .pg_pool(pool.clone())
        .concurrency(limits::JOBS_AT_ONCE_MAX)
        .poll_interval(limits::JOBS_LOOK_INTERVAL)
        // Without it a backlog is done one job a second and thread.
        .local_queue(LocalQueueConfig::default().with_refetch_delay(rest))
        // What a worker had taken when it was killed is given to another.
        .worker_recovery(WorkerRecoveryConfig {
            heartbeat_interval: limits::JOBS_HEARTBEAT,
            sweep_interval: limits::JOBS_HEARTBEAT,
            sweep_threshold: limits::JOBS_WORKER_GONE,
            recovery_delay: Duration::ZERO,
            enabled: true,
            ..WorkerRecoveryConfig::default()
        })
        .worker_shutdown(shutdown)
        .on(JobComplete, async |done| {
            metrics::counter!("lastbite_jobs_done_total", "job" => done.job.task_identifier().clone()).increment(1);
            metrics::histogram!("lastbite_job_seconds", "job" => done.job.task_identifier().clone())
                .record(done.duration.as_secs_f64());
        })
        .on(JobFail, async |failed| {
            let job = failed.job.task_identifier().clone();
            tracing::warn!(job, error = failed.error, "a job failed and will be tried again");
            metrics::counter!("lastbite_jobs_failed_total", "job" => job).increment(1);
        })
        .on(JobPermanentlyFail, async |failed| {
            let job = failed.job.task_identifier().clone();
            tracing::error!(job, error = failed.error, "a job failed for good");
            metrics::counter!("lastbite_jobs_given_up_total", "job" => job).increment(1);
        })
}

/// Measures what waits, every few seconds until the drain.
pub async fn measure(pool: PgPool, drain: CancellationToken) {
    let mut looks = tokio::time::interval(limits::JOBS_MEASURE_INTERVAL);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = drain.cancelled() => return,
            _ = looks.tick() => {}
        }
        // The table is the library's own, which the check of our queries does not know.
        let waiting: Result<(i64, f64), _> = sqlx::query_as(
            "select count(*), coalesce(extract(epoch from now() - min(run_at)), 0)::float8
             from graphile_worker._private_jobs where run_at <= now() and attempts < max_attempts",
        )
        .fetch_one(&pool)
        .await;
        match waiting {
            Ok((jobs, oldest_s)) => {
                metrics::gauge!("lastbite_jobs_due").set(jobs as f64);
                metrics::gauge!("lastbite_jobs_due_oldest_seconds").set(oldest_s);
            }
            Err(error) => tracing::debug!(%error, "the waiting jobs cannot be counted now"),
        }
    }
}

/// Does jobs until the drain. A worker that loses Postgres is begun anew.
pub async fn work(worker: impl Fn() -> WorkerOptions, drain: CancellationToken) {
    while !drain.is_cancelled() {
        let worked = async { anyhow::Ok(worker().init().await?.run().await?) };
        match worked.await {
            Ok(()) => {}
            Err(error) => tracing::debug!("the job queue does not answer: {error:#}"),
        }
        tokio::select! {
            () = drain.cancelled() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
}
