//! Pictures that users show of themselves: cleaned on the way in, seen by whom they are for, gone when taken back.

use lastbite_protocol::rest::{Photo, Profile};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::json;

use crate::support::{Answer, Player, World, pictures, uploads::files_in};

impl Player {
    pub(crate) async fn shows(&self, kind: &str, picture: Vec<u8>) -> Answer {
        let request = self.api.request(Method::PUT, "/api/v1/accounts/me/picture");
        Answer::of(request.header(CONTENT_TYPE, kind).body(picture)).await
    }

    async fn profile(&self) -> Profile {
        self.api.get("/api/v1/accounts/me/profile").await.ok(200)
    }

    async fn becomes_visible_to(&self, whom: &str) {
        self.api.patch("/api/v1/accounts/me/profile", &json!({ "visibility": whom })).await.ok::<Profile>(200);
    }
}

#[tokio::test]
async fn a_picture_is_cleaned_shown_replaced_and_taken_back() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    assert_eq!(mina.profile().await.picture, None);
    let shown: Photo = mina.shows("image/jpeg", pictures::jpeg_full_of_secrets()).await.ok(200);
    assert_eq!(mina.profile().await.picture.as_ref(), Some(&shown));
    for viewer in [&mina, &jun] {
        for path in [&shown.large, &shown.small] {
            let answer = viewer.api.get(path).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.headers["content-type"]),
                (200, &"image/jpeg".parse().unwrap())
            );
            for secret in pictures::SECRETS {
                assert!(!answer.body.windows(secret.len()).any(|bytes| bytes == secret), "{}", secret.escape_ascii());
            }
        }
    }
    let first = mina.api.get(&shown.large).await.body;
    assert_eq!(files_in(world.media.path()), 2);
    mina.shows("image/png", pictures::png_grey()).await.ok::<Photo>(200);
    assert_ne!(mina.api.get(&shown.large).await.body, first);
    assert_eq!(files_in(world.media.path()), 2, "the one before is gone");
    mina.api.delete("/api/v1/accounts/me/picture").await.ok_empty(204);
    mina.api.delete("/api/v1/accounts/me/picture").await.refused(404, "not_found");
    mina.api.get(&shown.large).await.refused(404, "not_found");
    assert_eq!((mina.profile().await.picture, files_in(world.media.path())), (None, 0));
    world.stop().await;
}

#[tokio::test]
async fn who_is_for_nobody_shows_no_picture_to_others() {
    let world = World::open().await;
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let shown: Photo = mina.shows("image/jpeg", pictures::jpeg(80, 40)).await.ok(200);
    world.api().get(&shown.large).await.refused(401, "token_missing");
    mina.becomes_visible_to("nobody").await;
    jun.api.get(&shown.large).await.refused(404, "not_found");
    assert_eq!(mina.api.get(&shown.large).await.status.as_u16(), 200);
    mina.becomes_visible_to("everyone").await;
    assert_eq!(jun.api.get(&shown.small).await.status.as_u16(), 200);
    jun.api.get(&format!("/api/v1/users/{}/picture/large", jun.id)).await.refused(404, "not_found");
    jun.api.get(&format!("/api/v1/users/{}/picture/huge", mina.id)).await.refused(404, "not_found");
    world.stop().await;
}

#[tokio::test]
async fn what_is_no_picture_changes_nothing() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let shown: Photo = mina.shows("image/jpeg", pictures::jpeg(80, 40)).await.ok(200);
    mina.shows("application/json", pictures::jpeg(80, 40)).await.refused(415, "content_type_unsupported");
    mina.shows("image/jpeg", pictures::html()).await.refused(415, "photo_type_unknown");
    mina.shows("image/heic", pictures::heic()).await.refused(415, "photo_type_heic");
    mina.shows("image/jpeg", pictures::jpeg_cut_short()).await.refused(422, "photo_broken");
    mina.shows("image/jpeg", pictures::too_large()).await.refused(413, "body_too_large");
    assert_eq!((mina.profile().await.picture, files_in(world.media.path())), (Some(shown), 2));
    world.stop().await;
}

#[tokio::test]
async fn pictures_sent_at_the_same_moment_leave_one() {
    let world = World::open().await;
    let mina = world.user("mina").await;
    let sending = (0..6).map(|_| mina.shows("image/jpeg", pictures::jpeg(80, 40)));
    for answer in futures_util::future::join_all(sending).await {
        assert!(matches!(answer.status.as_u16(), 200 | 503), "{answer:?}");
    }
    assert_eq!(files_in(world.media.path()), 2);
    world.stop().await;
}
