//! Challenges: what is played, who plays, and the referee who opens, judges and closes its days.

mod close;
mod enter;
pub mod http;
mod referee;
mod store;

pub use referee::referee;
