//! `/foods`.

use axum::{extract::State, http::StatusCode};
use lastbite_protocol::rest::{Food, NewFood, Page, Problem};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{barcode::Barcode, key, store};
use crate::{
    App,
    auth::Caller,
    body::{Json, PageQuery, Path, Query, page},
    error::{ApiError, ApiResult},
    limits,
    nutrition::{
        atwater::{self, Plausibility},
        portion::PORTION_DG_MOST,
    },
};

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(search))
        .routes(routes!(list_own, make))
        .routes(routes!(read, forget))
        .routes(routes!(read_product))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// What was typed, 1 to 100 characters: a Korean or English name or a part of one, with or without spaces, slips and all,
    /// or first consonants such as `ㄱㅊㅉㄱ`.
    #[param(min_length = 1, max_length = 100)]
    q: String,
    /// How many, 1 to 50; 20 when absent.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
}

/// Foods by name, the likeliest first: the caller's own and those of the table.
#[utoipa::path(
    get, path = "/foods", operation_id = "search_foods", tag = "foods", params(SearchQuery), security(("token" = [])),
    responses((status = 200, body = Page<Food>), (status = 400, body = Problem), (status = 401, body = Problem))
)]
async fn search(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<SearchQuery>,
) -> ApiResult<Json<Page<Food>>> {
    let limit = query.limit.unwrap_or(limits::FOODS_FOUND_DEFAULT);
    let is_text = (1..=limits::FOOD_NAME_CHARS_MAX).contains(&query.q.chars().count());
    if !is_text || !(1..=limits::FOODS_FOUND_MAX).contains(&limit) {
        let detail = "`q` has 1 to 100 characters, `limit` is 1 to 50";
        return Err(ApiError::refused(StatusCode::BAD_REQUEST, "query_invalid", detail));
    }
    let items = store::search(&app.db.api, caller.user, &query.q, limit).await?;
    Ok(Json(Page { items, next: None }))
}

/// A food.
#[utoipa::path(
    get, path = "/foods/{id}", operation_id = "read_food", tag = "foods", params(("id" = String, Path)),
    security(("token" = [])),
    responses((status = 200, body = Food), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn read(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> ApiResult<Json<Food>> {
    if id.contains('\0') {
        return Err(ApiError::not_found("food"));
    }
    let found = store::load_many(&app.db.api, caller.user, &[id]).await?;
    found.into_iter().next().map(Json).ok_or_else(|| ApiError::not_found("food"))
}

/// The packaged food with this barcode, as the people of Open Food Facts have told of it. Its id is `off:` and the barcode.
///
/// Carbohydrate is with fibre, which is added where the label counts it apart; a drink's 100 ml are 100 g. What cannot be
/// is left out. Where nothing usable is known, the numbers on the label make a food of one's own.
#[utoipa::path(
    get, path = "/foods/barcodes/{barcode}", operation_id = "read_product", tag = "foods",
    params(("barcode" = String, Path, description = "EAN-8, UPC-A, EAN-13 or ITF-14: 8, 12, 13 or 14 digits")),
    security(("token" = [])),
    responses(
        (status = 200, body = Food), (status = 401, body = Problem),
        (status = 404, description = "`not_found`, `product_unusable`, `products_off`", body = Problem),
        (status = 422, description = "`barcode_invalid`", body = Problem),
        (status = 503, description = "`products_away`", body = Problem),
    )
)]
async fn read_product(State(app): State<App>, caller: Caller, Path(barcode): Path<String>) -> ApiResult<Json<Food>> {
    let read = barcode.parse::<Barcode>();
    let barcode = read.map_err(|fault| ApiError::invalid("barcode_invalid", "barcode", fault.to_string()))?;
    let id = app.products.find(&app.db.api, &barcode, app.clock.wall()).await?;
    let found = store::load_many(&app.db.api, caller.user, &[id]).await?;
    found.into_iter().next().map(Json).ok_or_else(|| ApiError::not_found("product"))
}

/// The foods that the caller has made, the newest first.
#[utoipa::path(
    get, path = "/accounts/me/foods", operation_id = "list_own_foods", tag = "foods", params(PageQuery),
    security(("token" = [])),
    responses((status = 200, body = Page<Food>), (status = 400, body = Problem), (status = 401, body = Problem))
)]
async fn list_own(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<PageQuery>,
) -> ApiResult<Json<Page<Food>>> {
    let limit = paging.limit()?;
    let after = paging.after()?.filter(|id: &String| !id.contains('\0'));
    let found = store::list_own(&app.db.api, caller.user, after, limit + 1).await?;
    Ok(Json(page(found, limit, |last| last.id.clone())))
}

/// Makes a food for oneself.
#[utoipa::path(
    post, path = "/accounts/me/foods", operation_id = "make_food", tag = "foods", request_body = NewFood,
    security(("token" = [])),
    responses(
        (status = 201, body = Food), (status = 401, body = Problem),
        (status = 400, description = "`json_malformed`", body = Problem),
        (status = 409, description = "`too_many_foods`", body = Problem),
        (
            status = 422, body = Problem,
            description = "`json_invalid`, `food_name_invalid`, `food_incomplete`, `food_impossible`, `servings_invalid`"
        ),
    )
)]
async fn make(
    State(app): State<App>,
    caller: Caller,
    Json(food): Json<NewFood>,
) -> ApiResult<(StatusCode, Json<Food>)> {
    check(&food)?;
    let Some(id) = store::insert(&app.db.api, caller.user, &food, app.clock.wall()).await? else {
        let detail = format!("nobody has more than {} foods of their own", limits::OWN_FOODS_MAX);
        return Err(ApiError::refused(StatusCode::CONFLICT, "too_many_foods", detail));
    };
    let made = store::load_many(&app.db.api, caller.user, &[id]).await?.into_iter().next();
    made.map(|food| (StatusCode::CREATED, Json(food))).ok_or_else(|| ApiError::not_found("food"))
}

/// A food of one's own is found no more. Meals of it stay as they are.
#[utoipa::path(
    delete, path = "/foods/{id}", operation_id = "forget_own_food", tag = "foods", params(("id" = String, Path)),
    security(("token" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn forget(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> ApiResult<StatusCode> {
    if !id.contains('\0') && store::retire(&app.db.api, caller.user, &id, app.clock.wall()).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("food"))
    }
}

fn check(food: &NewFood) -> ApiResult<()> {
    let chars = food.name.chars().count();
    if !(1..=limits::FOOD_NAME_CHARS_MAX).contains(&chars)
        || food.name.contains('\0')
        || key::key_of(&food.name).is_empty()
    {
        return Err(ApiError::invalid(
            "food_name_invalid",
            "name",
            "a name has 1 to 100 characters, letters among them",
        ));
    }
    if atwater::best_known_dcal(&food.per_100g).is_none() {
        let detail = "energy is needed, or carbohydrate, protein and fat";
        return Err(ApiError::invalid("food_incomplete", "per_100g", detail));
    }
    if let Plausibility::Impossible(why) = atwater::plausibility(&food.per_100g, Some(1_000)) {
        return Err(ApiError::invalid("food_impossible", "per_100g", why.to_string()));
    }
    if food.fruit_veg_legume_permille.is_some_and(|share| share > 1_000) {
        return Err(ApiError::invalid(
            "food_impossible",
            "fruit_veg_legume_permille",
            "a share is at most 1000 permille",
        ));
    }
    let is_serving = |serving: &lastbite_protocol::foods::Serving| {
        (1..=PORTION_DG_MOST).contains(&serving.grams_dg)
            && [&serving.name_ko, &serving.name_en]
                .into_iter()
                .all(|name| name.chars().count() <= limits::SERVING_NAME_CHARS_MAX && !name.contains('\0'))
    };
    if food.servings.len() > limits::SERVINGS_MAX || !food.servings.iter().all(is_serving) {
        let detail = "at most 10 servings, each of at most 5 kg and with names of at most 50 characters";
        return Err(ApiError::invalid("servings_invalid", "servings", detail));
    }
    Ok(())
}
