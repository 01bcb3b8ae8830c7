//! Tokens for scripts.

use crate::{
    api,
    components::{
        Banner, CopyButton, Dialog, Empty, ErrorLine, FieldErrors, Icon, TextField, Time, TitleOf, Tone,
        loaded, note_error,
    },
    i18n::{T, fill},
    ui::{t, ui},
};
use domain::identity::{CreatedToken, NewToken, Token};
use leptos::prelude::*;
use std::collections::BTreeMap;

pub fn tokens() -> AnyView {
    let tokens = Resource::new_blocking(|| (), |()| api::tokens::tokens());
    let made = RwSignal::new(None::<CreatedToken>);
    view! {
        <TitleOf text=T::Tokens/>
        <div class="hd"><h1>{t(T::Tokens)}</h1></div>
        <p class="mut">{t(T::TokensHint)}</p>
        {create(tokens, made)}
        {move || made.get().map(|made| view! {
            <Banner tone=Tone::Warn>
                <p><b>{t(T::TokenOnce)}</b></p>
                <p class="hd"><code class="secret" data-secret="">{made.secret.clone()}</code><CopyButton text=made.secret label=T::Copy/></p>
            </Banner>
        })}
        {loaded(tokens, move |list| table(tokens, list))}
    }
    .into_any()
}

type List = Resource<Result<Vec<Token>, api::ApiError>>;

fn create(tokens: List, made: RwSignal<Option<CreatedToken>>) -> AnyView {
    let ui = ui();
    let (name, days) = (RwSignal::new(String::new()), RwSignal::new("90".to_owned()));
    let errors: FieldErrors = RwSignal::new(BTreeMap::new());
    let error = RwSignal::new(None);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        error.set(None);
        errors.update(|errors| errors.clear());
        let token = NewToken {
            name: name.get_untracked(),
            days: days.get_untracked().trim().parse().unwrap_or(0),
        };
        leptos::task::spawn_local(async move {
            match api::tokens::create_token(token).await {
                Ok(created) => {
                    made.try_set(Some(created));
                    name.try_set(String::new());
                    tokens.refetch();
                }
                Err(failed) => {
                    note_error(ui, &failed);
                    if let api::ApiError::Failed(told) = &failed {
                        errors.try_update(|errors| {
                            errors.extend(told.fields.iter().map(|f| (f.field.clone(), f.failure.clone())))
                        });
                    }
                    error.try_set(Some(failed));
                }
            }
        });
    };
    view! {
        <form class="card hd top-aligned" autocomplete="off" on:submit=submit>
            <TextField id="t-name" label=T::Name name="name" value=name errors/>
            <TextField id="t-days" label=T::ValidDays name="days" value=days errors number=true/>
            <button type="submit" class="btn pri low"><Icon name="plus"/>{t(T::CreateToken)}</button>
            {move || error.get().map(|error| view! { <div class="full"><ErrorLine error/></div> })}
        </form>
    }
    .into_any()
}

fn table(tokens: List, list: Vec<Token>) -> AnyView {
    let ui = ui();
    let (open, asked) = (RwSignal::new(false), RwSignal::new(None::<Token>));
    let error = RwSignal::new(None);
    if list.is_empty() {
        return view! { <div class="card"><Empty icon="key-round" title=T::NoTokens hint=T::NoTokensHint/></div> }.into_any();
    }
    let revoke = move |_| {
        let Some(token) = asked.get_untracked() else {
            return;
        };
        leptos::task::spawn_local(async move {
            match api::tokens::revoke_token(token.id).await {
                Ok(()) => {
                    open.try_set(false);
                    tokens.refetch();
                }
                Err(failed) => {
                    note_error(ui, &failed);
                    error.try_set(Some(failed));
                }
            }
        });
    };
    view! {
        <div class="grid" tabindex="0"><table>
            <thead><tr>
                <th scope="col">{t(T::Name)}</th><th scope="col">{t(T::Created)}</th><th scope="col">{t(T::Expires)}</th>
                <th scope="col">{t(T::LastUsed)}</th><th scope="col">{t(T::State)}</th><th scope="col"><span class="vh">{t(T::Actions)}</span></th>
            </tr></thead>
            <tbody>{list.into_iter().map(|token| {
                let revoked = token.revoked_at.is_some();
                let name = token.name.clone();
                view! {
                    <tr>
                        <td>{token.name.clone()}</td>
                        <td><Time at=token.created_at/></td>
                        <td>{ move || ui.absolute(token.expires_at) }</td>
                        <td>{token.last_used_at.map(|at| view! { <Time at/> })}</td>
                        <td>{t(if revoked { T::Revoked } else { T::Active })}</td>
                        <td>{(!revoked).then(|| {
                            let token = token.clone();
                            view! { <button type="button" class="btn" aria-label=move || format!("{} {name}", ui.text(T::Revoke)) on:click=move |_| { asked.set(Some(token.clone())); error.set(None); open.set(true); }>{t(T::RevokeDots)}</button> }
                        })}</td>
                    </tr>
                }
            }).collect_view()}</tbody>
        </table></div>
        <Dialog open title=Signal::derive(move || fill(ui.text(T::RevokeTitle), &[("name", &asked.get().map(|token| token.name).unwrap_or_default())]))>
            <p>{t(T::RevokeEffect)}</p>
            {move || error.get().map(|error| view! { <ErrorLine error/> })}
            <div class="hd end">
                <button type="button" class="btn" autofocus on:click=move |_| open.set(false)>{t(T::Keep)}</button>
                <button type="button" class="btn dng" on:click=revoke>{t(T::Revoke)}</button>
            </div>
        </Dialog>
    }
    .into_any()
}
