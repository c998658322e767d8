//! `/challenges`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use bytes::Bytes;
use lastbite_protocol::{
    ChallengeId, UserId,
    rest::{Challenge, ChallengeStatus, CheatDays, DayVerdict, Membership, NewChallenge, Outcome, Page, Problem},
};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{cheat, enter, store};
use crate::{
    App,
    auth::Caller,
    body::{IdempotencyHeader, Json, PageQuery, Path, Query, page, parse_json},
    error::{ApiError, ApiResult},
    idempotency::Key,
    journal::{self, StreamId},
    limits,
    rules::{self, day::Calendar},
};

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(read))
        .routes(routes!(join))
        .routes(routes!(leave))
        .routes(routes!(verdicts))
        .routes(routes!(cheat_days))
        .routes(routes!(take_cheat_day, drop_cheat_day))
        .routes(routes!(outcomes))
}

/// Makes a challenge. An `Idempotency-Key` makes retries safe.
#[utoipa::path(
    post, path = "/challenges", operation_id = "create_challenge", tag = "challenges", security(("token" = [])),
    request_body = NewChallenge, params(IdempotencyHeader),
    responses(
        (status = 201, body = Challenge),
        (status = 400, description = "`json_malformed`, `idempotency_key_invalid`", body = Problem),
        (status = 401, body = Problem),
        (status = 409, description = "`too_many_challenges`, `idempotency_in_flight`", body = Problem),
        (
            status = 422, body = Problem,
            description = "`json_invalid`, `title_invalid`, `description_invalid`, `terms_invalid` (with the `field` at \
                           fault), `idempotency_key_reused`"
        ),
    )
)]
async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Raw(body): Raw,
) -> ApiResult<(StatusCode, Json<Challenge>)> {
    let key = Key::read(&headers, caller.user, "POST /challenges", &[&body])?;
    let now = app.clock.now();
    let wish: NewChallenge = parse_json(&body)?;
    check_texts(&wish)?;
    let mut tx = app.db.api.begin().await?;
    if let Some(key) = &key
        && let Some(answer) = key.claim(&mut tx, now).await?
    {
        return Ok((answer.status, Json(answer.body)));
    }
    rules::terms::check(&wish.terms, now)?;
    // The lock makes challenges of one host come one after the other, so that they can be counted.
    let mut journal = journal::lock(tx, [StreamId::User(caller.user)]).await?;
    let tx = &mut journal.tx;
    if store::count_hosted(tx, caller.user).await? >= limits::CHALLENGES_HOSTED_AT_ONCE_MAX {
        let detail = format!("nobody hosts more than {} challenges at once", limits::CHALLENGES_HOSTED_AT_ONCE_MAX);
        return Err(ApiError::refused(StatusCode::CONFLICT, "too_many_challenges", detail));
    }
    let calendar = Calendar::of(&wish.terms);
    let challenge = Challenge {
        id: ChallengeId::generate(),
        title: wish.title.trim().to_owned(),
        description: wish.description,
        host: caller.user,
        status: ChallengeStatus::Open,
        seats_taken: 0,
        starts_at: calendar.starts_at(),
        ends_at: calendar.ends_at(),
        today: None,
        created_at: now,
        me: None,
        terms: wish.terms,
    };
    journal::create(tx, StreamId::Challenge(challenge.id)).await?;
    store::insert(tx, &challenge).await?;
    if let Some(key) = &key {
        key.keep(tx, StatusCode::CREATED, &challenge).await?;
    }
    journal.commit(&app.bus).await?;
    Ok((StatusCode::CREATED, Json(challenge)))
}

/// A JSON body as its bytes, for what is hashed before it is read.
struct Raw(Bytes);

impl<S: Sync> axum::extract::FromRequest<S> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: axum::extract::Request, _state: &S) -> ApiResult<Self> {
        crate::body::read_json_bytes(request).await.map(Self)
    }
}

fn check_texts(wish: &NewChallenge) -> ApiResult<()> {
    if !limits::TITLE_CHARS.contains(&wish.title.trim().chars().count()) || wish.title.contains('\0') {
        return Err(ApiError::invalid("title_invalid", "title", "a title has 1 to 80 characters, none of them NUL"));
    }
    if wish.description.chars().count() > limits::DESCRIPTION_CHARS_MAX || wish.description.contains('\0') {
        let detail = "a description has at most 2,000 characters, none of them NUL";
        return Err(ApiError::invalid("description_invalid", "description", detail));
    }
    Ok(())
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those in this part of their life.
    status: Option<ChallengeStatus>,
}

/// Challenges, the newest first.
#[utoipa::path(
    get, path = "/challenges", operation_id = "list_challenges", tag = "challenges", params(ListQuery, PageQuery),
    responses((status = 200, body = Page<Challenge>), (status = 400, body = Problem))
)]
async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
    Query(paging): Query<PageQuery>,
) -> ApiResult<Json<Page<Challenge>>> {
    let limit = paging.limit()?;
    let found = store::list(&app.db.api, query.status, paging.after()?, limit + 1, app.clock.now()).await?;
    Ok(Json(page(found, limit, |last| last.id.to_string())))
}

/// A challenge; with a token, the caller's own standing in it too.
#[utoipa::path(
    get, path = "/challenges/{id}", operation_id = "read_challenge", tag = "challenges",
    params(("id" = ChallengeId, Path)), security((), ("token" = [])),
    responses(
        (status = 200, body = Challenge), (status = 404, body = Problem),
        (status = 401, description = "a token was sent and is not good: `token_invalid`, `token_expired`", body = Problem),
    )
)]
async fn read(
    State(app): State<App>,
    caller: Option<Caller>,
    Path(id): Path<ChallengeId>,
) -> ApiResult<Json<Challenge>> {
    let mut challenge =
        store::load(&app.db.api, id, app.clock.now()).await?.ok_or_else(|| ApiError::not_found("challenge"))?;
    if let Some(caller) = caller {
        challenge.me = store::load_standing(&app.db.api, id, caller.user).await?;
    }
    Ok(Json(challenge))
}

/// Joins. Who plays already gets 200 and the same answer.
#[utoipa::path(
    post, path = "/challenges/{id}/players", operation_id = "join_challenge", tag = "challenges",
    params(("id" = ChallengeId, Path)), security(("token" = [])),
    responses(
        (status = 201, description = "Joined.", body = Membership),
        (status = 200, description = "Played already.", body = Membership), (status = 401, body = Problem),
        (status = 403, description = "`band_below_floor`, `underweight`", body = Problem), (status = 404, body = Problem),
        (
            status = 409, body = Problem,
            description = "`challenge_full`, `challenge_started`, `challenge_over`, `no_return`, `too_many_challenges`"
        ),
    )
)]
async fn join(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChallengeId>,
) -> ApiResult<(StatusCode, Json<Membership>)> {
    let answer = enter::join(&app, id, caller.user).await?;
    Ok((answer.status, Json(answer.body)))
}

/// Leaves. Before the start the seat is free again; after it there is no return.
#[utoipa::path(
    delete, path = "/challenges/{id}/players/me", operation_id = "leave_challenge", tag = "challenges",
    params(("id" = ChallengeId, Path)), security(("token" = [])),
    responses(
        (status = 200, body = Membership), (status = 401, body = Problem),
        (status = 404, description = "`not_found`, `not_a_player`", body = Problem),
        (status = 409, description = "`challenge_over`", body = Problem),
    )
)]
async fn leave(State(app): State<App>, caller: Caller, Path(id): Path<ChallengeId>) -> ApiResult<Json<Membership>> {
    enter::leave(&app, id, caller.user).await.map(Json)
}

/// The caller's own verdicts, day by day, with what was seen and what was allowed.
#[utoipa::path(
    get, path = "/challenges/{id}/players/me/verdicts", operation_id = "list_own_verdicts", tag = "challenges",
    params(("id" = ChallengeId, Path), PageQuery), security(("token" = [])),
    responses(
        (status = 200, body = Page<DayVerdict>), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 404, description = "`not_a_player`", body = Problem),
    )
)]
async fn verdicts(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ChallengeId>,
    Query(paging): Query<PageQuery>,
) -> ApiResult<Json<Page<DayVerdict>>> {
    let limit = paging.limit()?;
    if store::load_standing(&app.db.api, id, caller.user).await?.is_none() {
        return Err(rules::Refusal::NotAPlayer.into());
    }
    let found = store::list_verdicts(&app.db.api, id, caller.user, paging.after()?, limit + 1).await?;
    Ok(Json(page(found, limit, |last| last.day.to_string())))
}

/// The days that the caller has taken off.
#[utoipa::path(
    get, path = "/challenges/{id}/players/me/cheat-days", operation_id = "list_cheat_days", tag = "challenges",
    params(("id" = ChallengeId, Path)), security(("token" = [])),
    responses(
        (status = 200, body = CheatDays), (status = 401, body = Problem),
        (status = 404, description = "`not_found`, `not_a_player`", body = Problem),
    )
)]
async fn cheat_days(State(app): State<App>, caller: Caller, Path(id): Path<ChallengeId>) -> ApiResult<Json<CheatDays>> {
    cheat::list(&app, id, caller.user).await.map(Json)
}

/// Takes a day off: it is survived whatever is eaten, and the streak goes on without growing. Possible until its log closes.
#[utoipa::path(
    put, path = "/challenges/{id}/players/me/cheat-days/{day}", operation_id = "take_cheat_day", tag = "challenges",
    params(("id" = ChallengeId, Path), ("day" = u16, Path, description = "Which day of the challenge, from 1")),
    security(("token" = [])),
    responses(
        (status = 200, body = CheatDays), (status = 401, body = Problem),
        (status = 404, description = "`not_found`, `not_a_player`, `no_such_day`", body = Problem),
        (status = 409, description = "`no_cheat_day_left`, `day_closed`, `not_in`, `challenge_over`", body = Problem),
    )
)]
async fn take_cheat_day(
    State(app): State<App>,
    caller: Caller,
    Path((id, day)): Path<(ChallengeId, u16)>,
) -> ApiResult<Json<CheatDays>> {
    cheat::set(&app, id, caller.user, day, true).await.map(Json)
}

/// Takes back that a day is off. Possible until its log closes.
#[utoipa::path(
    delete, path = "/challenges/{id}/players/me/cheat-days/{day}", operation_id = "drop_cheat_day", tag = "challenges",
    params(("id" = ChallengeId, Path), ("day" = u16, Path, description = "Which day of the challenge, from 1")),
    security(("token" = [])),
    responses(
        (status = 200, body = CheatDays), (status = 401, body = Problem),
        (status = 404, description = "`not_found`, `not_a_player`, `no_such_day`", body = Problem),
        (status = 409, description = "`day_closed`", body = Problem),
    )
)]
async fn drop_cheat_day(
    State(app): State<App>,
    caller: Caller,
    Path((id, day)): Path<(ChallengeId, u16)>,
) -> ApiResult<Json<CheatDays>> {
    cheat::set(&app, id, caller.user, day, false).await.map(Json)
}

/// Final places of a finished challenge, best first; empty before its end.
#[utoipa::path(
    get, path = "/challenges/{id}/outcomes", operation_id = "list_outcomes", tag = "challenges",
    params(("id" = ChallengeId, Path), PageQuery),
    responses((status = 200, body = Page<Outcome>), (status = 400, body = Problem), (status = 404, body = Problem))
)]
async fn outcomes(
    State(app): State<App>,
    Path(id): Path<ChallengeId>,
    Query(paging): Query<PageQuery>,
) -> ApiResult<Json<Page<Outcome>>> {
    let limit = paging.limit()?;
    if store::load(&app.db.api, id, app.clock.now()).await?.is_none() {
        return Err(ApiError::not_found("challenge"));
    }
    let after = paging.after::<Place>()?.map(|place| (place.rank, place.player));
    let found = store::list_outcomes(&app.db.api, id, after, limit + 1).await?;
    Ok(Json(page(found, limit, |last| format!("{}:{}", last.rank, last.row.player))))
}

/// Where a page of outcomes ended: `<rank>:<player>`.
struct Place {
    rank: u32,
    player: UserId,
}

impl std::str::FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (rank, player) = text.split_once(':').ok_or(())?;
        Ok(Self { rank: rank.parse().map_err(|_| ())?, player: player.parse().map_err(|_| ())? })
    }
}
