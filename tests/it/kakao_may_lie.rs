//! Whatever a provider says that is not so, nobody is signed in by it, and the refusal has a name that stays.

use futures_util::{StreamExt, stream};
use lastbite_protocol::rest::{Identity, Page, SignedIn};
use serde_json::{Value, json};

use crate::support::{
    Setup, World,
    kakao::{Kakao, Lie, person},
    visitor::Visitor,
};

/// Lies told at the same time; those that are slow are waited for together.
const AT_ONCE: usize = 12;

/// What a browser is told that comes back from a provider with this lie; `None` when there is nothing to refuse.
fn in_browser(lie: Lie) -> Option<&'static str> {
    use Lie::*;
    Some(match lie {
        WrongIssuer
        | WrongAudience
        | AudienceMissing
        | AudienceEmpty
        | AudienceWithStranger
        | WrongNonce
        | NonceMissing
        | IssuedLater
        | SubjectEmpty
        | SubjectTooLong
        | SubjectWithNul
        | AlgorithmNone
        | SignedWithThePublicKey
        | UnknownKey
        | OtherKey
        | SignatureCut
        | EventAsIdToken
        | KeysNone
        | NoIdToken => "id_token_invalid",
        Expired | ExpiryNegative => "id_token_expired",
        // Its answer cannot be read at all.
        IssuerMissing | ExpiryMissing | ExpiryAsText | ExpiryHuge | SubjectMissing | IdTokenGarbage => {
            "provider_unavailable"
        }
        DocumentDown | DocumentGarbage | DocumentOfAnother | DocumentSlow | KeysDown | KeysGarbage | TokenHtml
        | TokenFails | TokenTooMany | TokenEmpty | TokenCutOff | TokenEndless | TokenSlow | TokenMoved
        | TokenWrongType => "provider_unavailable",
        UserCancels => "cancelled",
        ServerError | ErrorWithScript | ClientRefused => "provider_refused",
        CodeMissing | CodeUsed => "code_invalid",
        // Then Kakao's own API is asked.
        _ => return with_access_token(lie).map(|(_, code)| code),
    })
}

fn with_access_token(lie: Lie) -> Option<(u16, &'static str)> {
    use Lie::*;
    Some(match lie {
        OtherApp | InfoRunOut | UserTokenInvalid | UserNotLinked => (401, "provider_token_invalid"),
        UserScopeMissing => (403, "scope_missing"),
        UserTooYoung => (403, "too_young"),
        AppMissing | IdAsText | IdNegative | IdZero | IdHuge | InfoHtml | InfoFails | InfoTooMany | InfoEmpty
        | InfoCutOff | InfoEndless | InfoSlow | InfoMoved | UserOfAnother | UserIdAsText | UserHtml | UserFails => {
            (503, "provider_unavailable")
        }
        _ => return None,
    })
}

fn with_id_token(lie: Lie) -> Option<(u16, &'static str)> {
    use Lie::*;
    Some(match lie {
        WrongIssuer
        | IssuerMissing
        | WrongAudience
        | AudienceMissing
        | AudienceEmpty
        | AudienceWithStranger
        | WrongNonce
        | NonceMissing
        | ExpiryMissing
        | ExpiryAsText
        | ExpiryHuge
        | IssuedLater
        | SubjectMissing
        | SubjectEmpty
        | SubjectTooLong
        | SubjectWithNul
        | AlgorithmNone
        | SignedWithThePublicKey
        | UnknownKey
        | OtherKey
        | SignatureCut
        | EventAsIdToken
        | KeysNone => (401, "id_token_invalid"),
        Expired | ExpiryNegative => (401, "id_token_expired"),
        DocumentDown | DocumentGarbage | DocumentOfAnother | DocumentSlow | KeysDown | KeysGarbage => {
            (503, "provider_unavailable")
        }
        _ => return None,
    })
}

async fn lying_world() -> (Kakao, World) {
    let kakao = Kakao::open().await;
    let world = World::with(Setup { providers: kakao.of_lies(), ..Setup::default() }).await;
    (kakao, world)
}

async fn nobody_came(world: &World) {
    let left = "select (select count(*) from users) + (select count(*) from sessions)
                     + (select count(*) from identities) + (select count(*) from oidc_tickets)";
    assert_eq!(world.count(left).await, 0, "no user, session, identity or ticket was made");
}

#[test]
fn kakao_lies_in_many_ways() {
    let refused = Lie::ALL.iter().filter(|lie| in_browser(**lie).is_some()).count();
    assert!(refused >= 60, "{refused}");
    let all: std::collections::HashSet<_> = Lie::ALL.iter().map(|lie| lie.provider()).collect();
    assert_eq!(all.len(), Lie::ALL.len());
}

#[tokio::test]
async fn kakao_lies_in_the_browser_and_nobody_is_signed_in() {
    let (_kakao, world) = lying_world().await;
    let lies = Lie::ALL.iter().filter_map(|lie| in_browser(*lie).map(|code| (*lie, code)));
    let told = stream::iter(lies).map(|(lie, code)| {
        let api = world.api();
        async move {
            let told = Visitor::new(api).goes_round(&lie.provider()).await;
            (told != format!("error={code}")).then(|| format!("{lie:?} should be {code}, and is {told}"))
        }
    });
    let wrong: Vec<_> = told.buffer_unordered(AT_ONCE).filter_map(async |wrong| wrong).collect().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    nobody_came(&world).await;
    world.stop().await;
}

#[tokio::test]
async fn kakao_lies_about_tokens_of_apps_and_nobody_is_signed_in() {
    let (kakao, world) = lying_world().await;
    let mina = person(1001, "mina");
    let by_access_token = Lie::ALL.iter().filter_map(|lie| {
        let body = json!({ "access_token": kakao.access_token(&mina), "at_least_14": true });
        with_access_token(*lie).map(|refusal| (*lie, refusal, body))
    });
    let by_id_token = Lie::ALL.iter().filter_map(|lie| {
        let body = json!({ "id_token": kakao.id_token(*lie, &mina, Some("a nonce")), "nonce": "a nonce", "at_least_14": true });
        with_id_token(*lie).map(|refusal| (*lie, refusal, body))
    });
    let told = stream::iter(by_access_token.chain(by_id_token)).map(|(lie, refusal, body)| {
        let api = world.api();
        async move {
            let path = format!("/api/v1/sessions/oidc/{}", lie.provider());
            let answer = api.post(&path, &body).await;
            let problem: Value = serde_json::from_slice(&answer.body).unwrap();
            let told = (answer.status.as_u16(), problem["code"].as_str().unwrap_or_default());
            (told != refusal).then(|| format!("{lie:?} should be {refusal:?}, and is {told:?}"))
        }
    });
    let wrong: Vec<_> = told.buffer_unordered(AT_ONCE).filter_map(async |wrong| wrong).collect().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    nobody_came(&world).await;
    world.stop().await;
}

/// What is no reason to refuse is no reason to believe either.
#[tokio::test]
async fn kakao_profiles_are_taken_for_what_they_are() {
    let (kakao, world) = lying_world().await;
    let cases = [
        (Lie::Nothing, "mina", Some("mina.2000@kakao.example")),
        (Lie::EmailUnverified, "mina", None),
        (Lie::EmailInvalid, "mina", None),
        (Lie::EmailNoAddress, "mina", None),
        (
            Lie::NicknameHuge,
            "가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가가",
            Some(""),
        ),
        (Lie::NicknameWithNul, "mina", Some("")),
        (Lie::NoProfile, "player", None),
        (Lie::PictureScript, "mina", Some("")),
    ];
    for (number, (lie, nickname, email)) in (2000..).zip(cases) {
        let somebody = person(number, "mina");
        let body = json!({ "access_token": kakao.access_token(&somebody), "at_least_14": true });
        let path = format!("/api/v1/sessions/oidc/{}", lie.provider());
        let signed_in: SignedIn = world.api().post(&path, &body).await.ok(201);
        let user = &signed_in.user;
        let base = user.nickname.split('_').next().unwrap();
        assert_eq!((base, user.has_password), (nickname, false), "{lie:?}");
        assert_eq!(user.email.is_some(), email.is_some(), "{lie:?}");
        assert_eq!(user.email_verified, email.is_some(), "{lie:?}");
        let mine = world.api().with_token(&signed_in.access_token).get("/api/v1/accounts/me/identities").await;
        let identities: Page<Identity> = mine.ok(200);
        let picture = identities.items[0].picture_url.as_deref();
        let no_picture = matches!(lie, Lie::PictureScript | Lie::NoProfile);
        assert_eq!(picture, Some("https://pictures.example/mina.jpg").filter(|_| !no_picture), "{lie:?}");
    }
    world.stop().await;
}
