//! Which kind of job a new one is to be.

use crate::{
    components::{Icon, TitleOf},
    i18n::T,
    paths,
    ui::t,
};
use domain::job::JobKind;
use leptos::prelude::*;

const KINDS: [(JobKind, &str, T); 5] = [
    (JobKind::FlinkSql, "square-terminal", T::FlinkSqlHint),
    (JobKind::FlinkJar, "package", T::FlinkJarHint),
    (JobKind::SparkSql, "square-terminal", T::SparkSqlHint),
    (JobKind::SparkJar, "package", T::SparkJarHint),
    (JobKind::PySpark, "file-code", T::PySparkHint),
];

pub fn kinds() -> AnyView {
    view! {
        <TitleOf text=T::NewJob/>
        <p class="crumb"><a href=paths::JOBS>{t(T::Jobs)}</a> " / " {t(T::NewJob)}</p>
        <h1>{t(T::NewJob)}</h1>
        <ul class="kinds">
            {KINDS.into_iter().map(|(kind, icon, hint)| view! {
                <li><a class="card" href=paths::new_job(kind)>
                    <Icon name=icon/><b>{kind.label()}</b><span class="mut">{t(hint)}</span>
                </a></li>
            }).collect_view()}
        </ul>
    }
    .into_any()
}
