//! Challenges: what is played, who plays, and the referee who opens, judges and closes its days.

mod cheat;
mod close;
mod enter;
mod erase;
pub mod http;
mod referee;
mod store;

pub use erase::{erase, played_by};
pub use referee::referee;
