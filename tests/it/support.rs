//! What the tests are told with: a [`World`] with a server, [`Player`]s who act over REST, and [`Viewer`]s who watch over
//! the socket.

pub(crate) mod api;
pub(crate) mod board_page;
pub(crate) mod books;
pub(crate) mod browser;
pub(crate) mod bucket;
pub(crate) mod catalogue;
pub(crate) mod challenges;
pub(crate) mod crowd;
pub(crate) mod eyes;
pub(crate) mod facts;
pub(crate) mod kakao;
pub(crate) mod letters;
pub(crate) mod pictures;
pub(crate) mod play;
pub(crate) mod player;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod scenes;
pub(crate) mod uploads;
pub(crate) mod viewer;
pub(crate) mod visitor;
pub(crate) mod wire;
pub(crate) mod world;

pub(crate) use api::{Answer, Api};
pub(crate) use browser::Page;
pub(crate) use challenges::{challenge, dinner, lunch, meal, seoul, snack};
pub(crate) use player::Player;
pub(crate) use process::Process;
pub(crate) use viewer::Viewer;
pub(crate) use wire::Wire;
pub(crate) use world::{Node, Setup, World};

use std::time::Duration;

/// How long a test waits for something that has to happen. Long, for busy machines; nothing waits so long that works.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a fact that is asked for, such as a row in the database.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        let mut again = tokio::time::interval(Duration::from_millis(10));
        loop {
            again.tick().await;
            if let Some(fact) = ask().await {
                return fact;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("it never came to be: {what}"))
}

/// Whether a text tells something. Digits have to stand for themselves: ids have many in a row by chance.
pub(crate) fn tells(text: &str, what: &str) -> bool {
    if what.bytes().all(|letter| letter.is_ascii_digit()) {
        text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == what)
    } else {
        text.contains(what)
    }
}
