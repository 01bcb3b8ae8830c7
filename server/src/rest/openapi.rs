//! The description of the API, made from the handlers.

use crate::{
    problem::{FieldProblem, Problem},
    routes::{Routes, Weight},
    state::AppState,
};
use axum::{extract::State, response::IntoResponse};
use http::header;
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, ResponseBuilder,
        path::Operation,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Penstock",
        description = "Runs Flink jobs on YARN. Errors are `application/problem+json`; act on `code` and `args`, not on the text. \
                       Times are milliseconds since 1970-01-01 UTC."
    ),
    components(schemas(Problem, FieldProblem))
)]
struct Base;

/// The part that belongs to no handler.
pub fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// Adds what every operation has: the token, and problems as answers.
pub fn complete(mut api: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let components = api.components.get_or_insert_default();
    components.security_schemes.insert(
        "token".into(),
        RefOr::T(SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
    );
    let requirement = SecurityRequirement::new("token", Vec::<String>::new());
    api.security = Some(vec![requirement]);
    let problem = ResponseBuilder::new()
        .description("What is wrong and what to do")
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build(),
        )
        .build();
    for item in api.paths.paths.values_mut() {
        let operations: [&mut Option<Operation>; 5] = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.delete,
            &mut item.patch,
        ];
        for operation in operations.into_iter().flatten() {
            let answers = &mut operation.responses.responses;
            answers.insert("default".into(), RefOr::T(problem.clone()));
        }
    }
    api
}

pub(super) fn routes(routes: Routes) -> Routes {
    routes.api(Weight::Normal, routes!(describe))
}

/// This description.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "api", responses((status = 200, body = serde_json::Value)))]
async fn describe(State(app): State<AppState>) -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/json")],
        app.openapi.to_string(),
    )
}
