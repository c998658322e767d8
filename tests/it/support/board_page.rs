//! The board as the spectator page shows it, to be held against what the server says.

use lastbite_protocol::{ChallengeId, Status, UserId};
use serde::Deserialize;

use super::{Viewer, browser::Page, viewer::Model};

/// A row that can be seen.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct ShownRow {
    pub(crate) player: UserId,
    pub(crate) rank: u32,
    pub(crate) status: Status,
    pub(crate) points: u32,
    pub(crate) nickname: String,
}

/// All that can be seen of a board.
#[derive(Debug, Deserialize, PartialEq)]
pub(crate) struct ShownBoard {
    pub(crate) n: u64,
    pub(crate) alive: String,
    pub(crate) out: String,
    pub(crate) rows: Vec<ShownRow>,
}

const SHOWN: &str = "({
    n: Number(document.documentElement.dataset.n),
    alive: document.querySelector('#alive').textContent,
    out: document.querySelector('#out').textContent,
    rows: [...document.querySelectorAll('#board [data-player]')].map(row => ({
        player: row.dataset.player,
        rank: Number(row.dataset.rank),
        status: row.dataset.status,
        points: Number(row.dataset.points),
        nickname: row.querySelector('.name').textContent,
    })),
})";

impl Page {
    /// Opens the board of a challenge and waits until it is live.
    pub(crate) async fn watches(origin: &str, challenge: ChallengeId) -> Self {
        let mut page = Self::open(origin, &format!("/watch/{challenge}")).await;
        page.is_live().await;
        page
    }

    pub(crate) async fn is_live(&mut self) {
        let live =
            "document.querySelector('#connection').dataset.state === 'live' && document.documentElement.dataset.n";
        self.wait_for("the board is live", live).await;
    }

    pub(crate) async fn board(&mut self) -> ShownBoard {
        self.evaluate(SHOWN).await
    }

    /// Waits until a row has these attributes, such as `[data-rank="1"][data-points="30"]`.
    pub(crate) async fn row_is(&mut self, player: UserId, attributes: &str) {
        let row = format!("#board [data-player='{player}']{attributes}");
        self.wait_for(&format!("the row {attributes}"), &format!("document.querySelector({row:?})")).await;
    }

    /// Waits until the page has come to where the server is, and holds it against a fresh look at it.
    pub(crate) async fn ends_equal_to(&mut self, fresh: &mut Viewer) {
        let shown: u64 = self.evaluate("Number(document.documentElement.dataset.n)").await;
        fresh.sees("as much as the page", |board| board.n >= Some(shown)).await;
        let n = fresh.model.n.unwrap();
        self.wait_for("the page has caught up", &format!("document.documentElement.dataset.n === '{n}'")).await;
        assert_eq!(self.board().await, told(&fresh.model));
    }
}

fn told(model: &Model) -> ShownBoard {
    let shown = |(rank, row): (u32, &lastbite_protocol::Row)| ShownRow {
        player: row.player,
        rank,
        status: row.status,
        points: row.points,
        nickname: row.nickname.clone(),
    };
    ShownBoard {
        n: model.n.unwrap(),
        alive: model.counts.alive.to_string(),
        out: model.counts.out.to_string(),
        rows: model.board().into_iter().map(shown).collect(),
    }
}
