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

pub(crate) use analyses::forget_old as forget_old_analyses;
pub use erase::erase;
pub(crate) use store::list_all;

pub use lastbite_photo as photo;
