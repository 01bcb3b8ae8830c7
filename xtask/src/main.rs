//! `cargo xtask`: the developer tool. Everything it fetches, builds or starts lives in the cache
//! (see [`cache`]), so that a checkout stays a checkout.
//!
//! It depends on next to nothing, because it has to compile and speak before anything else can.

// This is a tool of processes and terminal output; the product's rules on both do not apply to it.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod bench;
mod borders;
mod cache;
mod console;
mod demo;
mod fetch;
mod http;
mod postgres;
mod run;
mod sandbox;
mod test;
mod tools;
mod web;

use std::process::ExitCode;

/// What a command ends with: a sentence for the person at the terminal.
pub(crate) type Res<T> = Result<T, String>;

const USAGE: &str = "\
usage: cargo xtask <command>

  demo [--stop]                  build everything, start the sandbox and a console on it
  check [borders]                formatting, borders, lints; or the borders alone
  test [--full]                  the suite; --full adds what takes too long for every change
  bench                          starts by the console and by the engine's own client, start-up, page load
  with <command> [arguments]     run a command as the suite does: own PostgreSQL, sandbox addresses
  web                            build what the browser gets
  runner                         build the Java runners
  release                        build the one file: web assets, migrations and runner inside

  sandbox up                     start the single-node Hadoop (fetched once)
  sandbox down [--wipe]          stop it; --wipe also forgets its data
  sandbox status [--json]        one line per daemon; exit code 1 if one is not up
  sandbox logs [daemon]          where the logs are and how they end
  sandbox start|stop <daemon> [--kill]
  sandbox env                    KEY=VALUE lines for scripts
  sandbox flink [version]        fetch another Flink, beside the one that is always there
  sandbox spark [version]        fetch Spark

daemons: namenode datanode resourcemanager nodemanager
environment: PENSTOCK_CACHE (default ~/.cache/penstock), PENSTOCK_DEMO_PORT (8686),
  PENSTOCK_SANDBOX_PORT_BASE (18000)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    run::began();
    let outcome = match words.as_slice() {
        ["demo"] => demo::start().map(|()| ExitCode::SUCCESS),
        ["demo", "--stop"] => demo::stop().map(|()| ExitCode::SUCCESS),
        ["check", "borders"] => test::borders().map(|()| ExitCode::SUCCESS),
        ["check"] => test::check(),
        ["test"] => test::all(false),
        ["test", "--full"] => test::all(true),
        ["bench"] => bench::run(),
        ["release"] => release().map(|()| ExitCode::SUCCESS),
        ["with", command @ ..] => test::with(command),
        ["web"] => web::build().map(|()| ExitCode::SUCCESS),
        ["runner"] => web::runner().map(|_| ExitCode::SUCCESS),
        ["sandbox", rest @ ..] => sandbox::command(rest),
        _ => {
            println!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Everything into one program.
fn release() -> Res<()> {
    let jar = web::runner()?;
    web::build()?;
    let program = bench::release(&jar)?;
    run::say(&format!("the program is {}", program.display()));
    Ok(())
}
