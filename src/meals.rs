//! Meals: the diary, and what it means for the day of every challenge its owner plays in.

mod effects;
pub mod http;
mod store;
mod upload;

pub use lastbite_photo as photo;
