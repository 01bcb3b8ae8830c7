//! The console as it is shipped, on the development sandbox: its own process, its own database, a
//! real ResourceManager, NameNode and Flink. What it says is judged by a checker that asks the
//! cluster itself.
//!
//! Without the sandbox's addresses every story fails; `cargo xtask with cargo test -p server --test
//! real` sets them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops where something is missing"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "starts and ends processes, which the console itself never does"
)]

mod api;
mod batch;
mod clicks;
mod console;
mod crashes;
mod failures;
mod jars;
mod outages;
mod postgres;
mod proxy;
mod restarts;
mod sandbox;
mod savepoints;
mod site;
mod spark;
mod streams;
mod wait;
mod world;

use libtest_mimic::{Arguments, Trial};
use site::Flink;
use std::{pin::Pin, process::ExitCode, sync::Arc};
use world::World;

type Story = Pin<Box<dyn Future<Output = ()>>>;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of a story is waiting; how many run something on the cluster is the world's to say.
    arguments.test_threads.get_or_insert(3);
    let runtime = Arc::new(
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap(),
    );
    let world = Arc::new(World::default());
    let told = |name: &str, story: fn(Arc<World>) -> Story| {
        let (runtime, world) = (Arc::clone(&runtime), Arc::clone(&world));
        Trial::test(name, move || {
            runtime.block_on(story(world));
            Ok(())
        })
    };
    let full = std::env::var_os("PENSTOCK_TEST_FULL").is_some();
    let trials = vec![
        told("flink_1_runs_a_batch_script_in_order", |w| {
            Box::pin(batch::in_order(w, Flink::One))
        }),
        told("flink_1_gets_hostile_arguments_unchanged", |w| {
            Box::pin(jars::arguments(w, Flink::One))
        }),
        told("flink_1_names_sql_that_does_not_parse", |w| {
            Box::pin(failures::sql(w, Flink::One))
        }),
        told("flink_1_names_a_missing_main_class", |w| {
            Box::pin(failures::main_class(w, Flink::One))
        }),
        told("flink_1_state_outlives_its_run", |w| {
            Box::pin(savepoints::continued(w, Flink::One))
        }),
        told("a_stream_runs_is_read_and_is_cancelled", |w| {
            Box::pin(streams::cancelled(w))
        }),
        told("a_batch_script_runs_its_statements_in_order", |w| {
            Box::pin(batch::in_order(w, Flink::Newest))
        }),
        told("hostile_arguments_arrive_unchanged", |w| {
            Box::pin(jars::arguments(w, Flink::Newest))
        }),
        told("a_kill_ends_the_application", |w| Box::pin(jars::killed_by_us(w))),
        told("a_kill_from_outside_is_told_apart", |w| {
            Box::pin(jars::killed_by_another(w))
        }),
        told("what_cannot_be_started_is_refused_early", |w| {
            Box::pin(failures::refused(w))
        }),
        told("sql_that_does_not_parse_fails_with_its_line", |w| {
            Box::pin(failures::sql(w, Flink::Newest))
        }),
        told("a_missing_main_class_fails_by_name", |w| {
            Box::pin(failures::main_class(w, Flink::Newest))
        }),
        told("a_spark_script_leaves_its_rows", |w| Box::pin(spark::script(w))),
        told("a_spark_program_gets_its_arguments", |w| {
            Box::pin(spark::arguments(w))
        }),
        told("a_python_program_finds_its_modules_and_files", |w| {
            Box::pin(spark::python(w))
        }),
        told("spark_jobs_that_fail_tell_why", |w| Box::pin(spark::failing(w))),
        told("a_spark_job_runs_and_is_killed", |w| Box::pin(spark::killed(w))),
        told("spark_jobs_that_cannot_work_are_refused", |w| {
            Box::pin(spark::refused(w))
        }),
        told("the_demos_spark_jobs_come_to_the_same", |w| {
            Box::pin(spark::examples(w))
        }),
        told("the_demos_spark_jobs_run_on_the_oldest_version", |w| {
            Box::pin(spark::examples_on_the_oldest(w))
        })
        .with_ignored_flag(!full),
        told("killed_while_submitting_the_console_starts_spark_once", |w| {
            Box::pin(spark::once(w))
        }),
        told("on_postgres_a_run_survives_the_console", |w| {
            Box::pin(postgres::survives(w))
        }),
        told("twenty_clicks_are_one_run", |w| Box::pin(clicks::twenty(w))),
        told("killed_at_any_moment_the_console_starts_a_run_once", |w| {
            Box::pin(crashes::any_moment(w))
        }),
        told("killed_after_the_post_the_console_starts_a_run_once", |w| {
            Box::pin(crashes::after_post(w))
        }),
        told("state_outlives_its_run", |w| {
            Box::pin(savepoints::continued(w, Flink::Newest))
        }),
        told("killed_while_stopping_with_a_savepoint_it_takes_one", |w| {
            Box::pin(savepoints::killed_while_stopping(w))
        }),
        told("killed_while_stopping_the_console_stops_the_run", |w| {
            Box::pin(crashes::while_stopping(w))
        }),
        told("a_lost_answer_to_the_post_is_no_second_application", |w| {
            Box::pin(crashes::lost_answer(w))
        }),
        told("killed_between_steps_the_console_copes_with_a_restart", |w| {
            Box::pin(restarts::some(w))
        }),
        told("killed_between_any_steps_the_console_copes_with_a_restart", |w| {
            Box::pin(restarts::every(w))
        })
        .with_ignored_flag(!full),
        told("a_daemon_away_for_a_moment_changes_no_state", |w| {
            Box::pin(outages::short(w))
        }),
        told("outages_change_no_state", |w| Box::pin(outages::all(w))).with_ignored_flag(!full),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    runtime.block_on(world.close(conclusion.has_failed()));
    conclusion.exit_code()
}
