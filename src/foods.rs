//! The food table: what is in a food, found by a name as people type it, in Korean and English.
//!
//! - `key`: names as they are compared, and first consonants
//! - `table`: the rows that come with the server, and how they get into Postgres
//! - `rows`: foods that are everybody's as Postgres takes them
//! - `store`: finding and reading; users' own foods

mod http;
pub mod key;
mod rows;
mod store;
mod table;

pub use http::routes;
pub(crate) use store::{erase, find_one, list_own, load_many};
pub use table::load;
pub(crate) use table::of_class;
