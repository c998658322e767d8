//! Many users at once. They are written straight into the database, because hashing a password for each would take
//! longer than the story; from then on they act over REST like everybody else.

use chrono::{DateTime, Utc};
use lastbite_protocol::{SessionId, UserId};

use super::{Node, Player, World};

impl World {
    /// Users with these nicknames, signed in at the world's server.
    pub(crate) async fn crowd(&self, nicknames: impl IntoIterator<Item = String>) -> Vec<Player> {
        let mut crowd = Vec::new();
        for nickname in nicknames {
            let id = UserId::generate();
            let added = sqlx::query(
                "with person as (
                     insert into users (id, email, nickname, password_hash, created_at)
                     values ($1, $2, $3, 'nobody signs in with this', $4)
                 )
                 insert into streams (id, kind) values ($1, 'user')",
            );
            let email = format!("{id}@example.com");
            added.bind(id.0).bind(email).bind(&nickname).bind(self.clock.now()).execute(&self.db).await.unwrap();
            crowd.push(self.node.sign_in(id, nickname));
        }
        crowd
    }
}

impl Node {
    fn sign_in(&self, id: UserId, nickname: String) -> Player {
        let token = self.token(id, self.app.clock.wall());
        Player { id, nickname, api: self.api().with_token(&token), token }
    }

    /// A token of this server for a user, as if issued then.
    pub(crate) fn token(&self, user: UserId, issued: DateTime<Utc>) -> String {
        self.app.auth.keys.sign(user, SessionId::generate(), issued).unwrap()
    }
}
