//! Meals: the diary, and what it means for the day of every challenge its owner plays in.

mod contents;
pub mod diary;
mod effects;
mod erase;
pub mod http;
pub(crate) mod picture;
mod store;
mod upload;

pub use erase::erase;
pub(crate) use store::list_all;

pub use lastbite_photo as photo;
