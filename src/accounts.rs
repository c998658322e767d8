//! Accounts: who plays. For now registering and signing in with e-mail and password.

pub mod http;
mod password;
mod store;

pub use password::Hasher;
