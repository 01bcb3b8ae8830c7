//! The script of a SQL job.

use super::state::Form;
use crate::{
    components::{Banner, CodeEditor, Field, Icon, Tone, failure_text},
    i18n::T,
    ui::{t, ui},
};
use domain::{Engine, job::check_script, sql::Script};
use leptos::prelude::*;

/// What is wrong with a script as far as the console can tell, with its line.
fn script_problem(ui: crate::ui::Ui, engine: Engine, text: &str) -> Option<(u32, String)> {
    let failure = match engine {
        Engine::Flink => Script::parse(text).err()?,
        // Without a text there is nothing to point at yet.
        Engine::Spark if text.trim().is_empty() => return None,
        Engine::Spark => check_script(engine, text).err()?,
    };
    let line = failure
        .args
        .get("line")
        .and_then(|line| line.parse().ok())
        .unwrap_or(1);
    Some((line, failure_text(ui, &failure)))
}

pub fn sql(form: Form) -> AnyView {
    let ui = ui();
    let engine = form.kind.engine();
    let problem = Memo::new(move |_| form.sql.with(|text| script_problem(ui, engine, text)));
    let (hint, example) = match engine {
        Engine::Flink => (T::ScriptHint, FLINK_EXAMPLE),
        Engine::Spark => (T::SparkScriptHint, SPARK_EXAMPLE),
    };
    let mode = move || {
        form.sql.with(|text| {
            (engine == Engine::Flink)
                .then(|| Script::parse(text).ok())
                .flatten()
                .filter(|script| !script.statements.is_empty())
                .map(|script| {
                    let n = script.job_statements().to_string();
                    crate::i18n::fill(
                        ui.text(if script.is_batch() {
                            T::BatchScript
                        } else {
                            T::StreamScript
                        }),
                        &[("n", &n)],
                    )
                })
        })
    };
    view! {
        <section class="card stack">
            <Field id="f-sql" label=T::Script name="sql" errors=form.errors hint>
                <CodeEditor id="f-sql" value=form.sql label=T::EditorLabel problem/>
            </Field>
            <p class="mut">{move || problem.get().map_or_else(|| mode().unwrap_or_default(), |(_, text)| text)}</p>
        </section>
        {move || form.sql.with(String::is_empty).then(|| view! {
            <Banner tone=Tone::Plain>
                {t(T::ExampleHint)} " "
                <button type="button" class="btn" on:click=move |_| form.sql.set(example.to_owned())><Icon name="file-code"/>{t(T::InsertExample)}</button>
            </Banner>
        })}
    }
    .into_any()
}

/// A first script that needs nothing outside.
const FLINK_EXAMPLE: &str = "SET 'execution.runtime-mode' = 'streaming';

CREATE TEMPORARY TABLE numbers (
  id BIGINT,
  amount INT
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '5'
);

CREATE TEMPORARY TABLE printed (
  id BIGINT,
  amount INT
) WITH (
  'connector' = 'print'
);

INSERT INTO printed
SELECT id, amount FROM numbers;
";

const SPARK_EXAMPLE: &str = "CREATE TEMPORARY VIEW numbers AS
SELECT explode(sequence(1, 10)) AS n;

SELECT count(*) AS how_many, sum(n) AS total FROM numbers;
";
