//! Meals: the diary, and what it means for the day of every challenge its owner plays in.

mod analyses;
mod contents;
pub mod diary;
mod effects;
mod erase;
mod form;
pub mod http;
mod store;
mod upload;

pub(crate) use analyses::{list_all as list_analyses, tidy_up};
pub use erase::erase;
pub(crate) use store::list_all;

pub use lastbite_photo as photo;

/// Adds what this feature does after its requests.
#[must_use]
pub(crate) fn jobs(worker: graphile_worker::WorkerOptions) -> graphile_worker::WorkerOptions {
    worker.define_job::<analyses::AnalyseMeal>()
}
