//! Logs and metrics. A log line carries ids, never bodies, tokens or addresses of mail.

use std::io::IsTerminal;

use axum::{Router, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Config, LogFormat};

/// Latencies, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

const UPKEEP_INTERVAL: std::time::Duration = std::time::Duration::from_secs(5);

/// Starts logging: for people on a terminal, as JSON lines otherwise.
///
/// # Errors
/// The filter cannot be read, or logging was started before.
pub fn start_logs(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log)?;
    let pretty = match config.log_format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if pretty {
        lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()?;
    Ok(())
}

/// Starts collecting metrics.
///
/// # Errors
/// They were started before.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?)
}

/// Serves `/metrics` on a listener of its own, which is not for the public.
pub async fn serve_metrics(listener: TcpListener, metrics: PrometheusHandle, until: CancellationToken) {
    let rendered = metrics.clone();
    let router = Router::new().route("/metrics", get(async move || rendered.render()));
    let served = axum::serve(listener, router).with_graceful_shutdown(until.clone().cancelled_owned());
    // Samples are folded into their histograms when somebody looks; nobody may look for days.
    let kept_small = async {
        let mut upkeep = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            upkeep.tick().await;
            metrics.run_upkeep();
        }
    };
    tokio::select! {
        served = served.into_future() => if let Err(error) = served {
            tracing::error!(%error, "metrics are no longer served");
        },
        () = kept_small => {}
    }
}
