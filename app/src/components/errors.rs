use super::{Banner, CopyButton, Icon, Skeleton, Tone};
use crate::{
    api::ApiError,
    i18n::T,
    ui::{Ui, t, ui},
    views::txt,
};
use domain::{Action, Code, Failure, Kind};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

/// The sentence for a person, in the reader's language. Names of fields are told as the form calls them.
pub fn failure_text(ui: Ui, failure: &Failure) -> String {
    let lang = ui.lang.get();
    let mut failure = failure.clone();
    if let Some(field) = failure
        .args
        .get("field")
        .and_then(|name| ui.fields.get_value()(name))
    {
        failure
            .args
            .insert("field".to_owned(), field.get(lang).to_owned());
    }
    failure.text(lang)
}

pub fn error_text(ui: Ui, error: &ApiError) -> String {
    match error {
        ApiError::Failed(told) => failure_text(ui, &told.failure),
        ApiError::Transport(_) => ui.text(T::NotReached).to_owned(),
    }
}

/// Notes that the session has ended; the page stays, with what was typed.
pub fn note_error(ui: Ui, error: &ApiError) {
    if error.code() == Some(Code::Unauthenticated) {
        ui.signed_out.set(true);
    }
}

/// What failed, with the request id.
#[component]
pub fn ErrorLine(error: ApiError, #[prop(optional, into)] retry: Option<Callback<()>>) -> impl IntoView {
    let ui = ui();
    let (id, forbidden) = match &error {
        ApiError::Failed(told) => (told.request_id.clone(), told.failure.kind() == Kind::Forbidden),
        ApiError::Transport(_) => (None, false),
    };
    // Asking again gives nobody a right.
    let retry = retry.filter(|_| !forbidden);
    view! {
        <Banner tone=Tone::Error>
            <p class="pre">{txt(move || error_text(ui, &error))}</p>
            {id.map(|id| {
                view! { <p class="mut">{t(T::RequestId)} " " <code>{id.clone()}</code> <CopyButton text=id/></p> }
            })}
            {retry.map(|retry| {
                view! { <button type="button" class="btn" on:click=move |_| retry.run(())><Icon name="rotate-cw"/>{t(T::Retry)}</button> }
            })}
        </Banner>
    }
    .into_any()
}

/// A whole page that cannot be shown.
pub fn error_page(error: ApiError, retry: Callback<()>) -> AnyView {
    let ui = ui();
    note_error(ui, &error);
    let kind = match &error {
        ApiError::Failed(told) => Some(told.failure.kind()),
        ApiError::Transport(_) => None,
    };
    let title = match kind {
        Some(Kind::NotFound) => T::NotFoundTitle,
        Some(Kind::Forbidden) => T::ForbiddenTitle,
        _ => T::ErrorTitle,
    };
    let retry = (!matches!(kind, Some(Kind::NotFound | Kind::Forbidden))).then_some(retry);
    view! {
        <super::TitleOf text=title/>
        <h1>{t(title)}</h1>
        {match retry {
            Some(retry) => view! { <ErrorLine error retry/> }.into_any(),
            None => view! { <ErrorLine error/> }.into_any(),
        }}
        <p><a href=crate::paths::JOBS>{t(T::BackToJobs)}</a></p>
    }
    .into_any()
}

/// The page of somebody who lacks the right for it.
pub fn forbidden(action: Action) -> AnyView {
    error_page(
        ApiError::found(Failure::new(Code::Forbidden).with("action", action.name())),
        Callback::new(|()| ()),
    )
}

pub type Answer<T> = Result<T, ApiError>;

/// Shows what a resource holds, what it failed with, or that it is on its way. Old content stays
/// while it is read again.
pub fn loaded<T, F>(resource: Resource<Answer<T>>, show: F) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    let retry = Callback::new(move |()| resource.refetch());
    view! {
        <Transition fallback=|| view! { <Skeleton/> }.into_any()>
            {move || {
                let show = show.clone();
                Suspend::new(async move {
                    match resource.await {
                        Ok(value) => show(value),
                        Err(error) => error_page(error, retry),
                    }
                })
            }}
        </Transition>
    }
    .into_any()
}
