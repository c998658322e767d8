//! A user who acts over REST.

use lastbite_protocol::{
    ChallengeId, MealId, UserId,
    rest::{Challenge, MealOutcome, Membership, NewChallenge, NewMeal, SignedIn},
};
use serde_json::json;

use super::{Answer, Api, Viewer};

/// Everybody's password in the tests.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A registered user.
pub(crate) struct Player {
    pub(crate) id: UserId,
    pub(crate) nickname: String,
    pub(crate) token: String,
    pub(crate) api: Api,
}

/// Signs in once more, as on another device.
pub(crate) async fn logs_in(api: &Api, nickname: &str, device: &str) -> SignedIn {
    let body = json!({ "email": format!("{nickname}@example.com"), "password": PASSWORD, "device": device });
    api.post("/api/v1/sessions", &body).await.ok(201)
}

/// Shows a refresh token.
pub(crate) async fn refreshes(api: &Api, token: &str) -> Answer {
    api.post("/api/v1/sessions/refresh", &json!({ "refresh_token": token })).await
}

impl Player {
    pub(crate) async fn register(api: Api, nickname: &str) -> Self {
        let body = json!({ "email": format!("{nickname}@example.com"), "password": PASSWORD, "nickname": nickname, "at_least_14": true });
        let signed_in: SignedIn = api.post("/api/v1/accounts", &body).await.ok(201);
        Self {
            id: signed_in.user.id,
            nickname: nickname.to_owned(),
            api: api.with_token(&signed_in.access_token),
            token: signed_in.access_token,
        }
    }

    pub(crate) async fn hosts(&self, wish: &NewChallenge) -> ChallengeId {
        let made: Challenge = self.api.post("/api/v1/challenges", &json!(wish)).await.ok(201);
        made.id
    }

    pub(crate) async fn tries_to_join(&self, challenge: ChallengeId) -> Answer {
        self.api.post(&format!("/api/v1/challenges/{challenge}/players"), &json!({})).await
    }

    pub(crate) async fn joins(&self, challenge: ChallengeId) -> Membership {
        self.tries_to_join(challenge).await.ok(201)
    }

    pub(crate) async fn leaves(&self, challenge: ChallengeId) -> Membership {
        self.api.delete(&format!("/api/v1/challenges/{challenge}/players/me")).await.ok(200)
    }

    pub(crate) async fn tries_to_log(&self, meal: &NewMeal) -> Answer {
        self.api.post("/api/v1/meals", &json!(meal)).await
    }

    pub(crate) async fn logs(&self, meal: &NewMeal) -> MealOutcome {
        self.tries_to_log(meal).await.ok(201)
    }

    pub(crate) async fn deletes(&self, meal: MealId) -> MealOutcome {
        self.api.delete(&format!("/api/v1/meals/{meal}")).await.ok(200)
    }

    pub(crate) async fn reads(&self, challenge: ChallengeId) -> Challenge {
        self.api.get(&format!("/api/v1/challenges/{challenge}")).await.ok(200)
    }

    /// Watches a challenge as themselves.
    pub(crate) async fn watches(&self, challenge: ChallengeId) -> Viewer {
        Viewer::watch(self.api.address, Some(&self.token), challenge, None).await
    }
}
