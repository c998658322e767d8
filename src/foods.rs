//! The food table: what is in a food, found by a name as people type it, in Korean and English.
//!
//! - `key`: names as they are compared, and first consonants
//! - `table`: the rows that come with the server, and how they get into Postgres
//! - `rows`: foods that are everybody's as Postgres takes them
//! - `barcode`, `products`: packaged ones by the number under their bars, from Open Food Facts
//! - `import`: from files of the Korean MFDS and the USDA; `amounts`: numbers of others made whole
//! - `store`: finding and reading; users' own foods

mod amounts;
pub mod barcode;
mod http;
pub mod import;
pub mod key;
mod products;
mod rows;
mod store;
mod table;

pub use http::routes;
pub use products::Products;
pub(crate) use store::{erase, find_one, list_own, load_many};
pub use table::load;
pub(crate) use table::of_class;
