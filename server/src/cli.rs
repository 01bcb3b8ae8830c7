//! The subcommands.

use crate::{
    boot::{self, BootError},
    config::{self, Config, ConfigError, Loaded, LogFormat},
    host::{self, Answer, Command},
    lock::LockError,
};
use clap::{Args, Parser, Subcommand};
use domain::{
    Lang, Role,
    identity::{NewMembership, NewToken, NewUser},
};
use identity::Secret;
use std::{
    io::{self, Read, Write},
    path::PathBuf,
    process::ExitCode,
};

/// Runs Flink jobs on YARN from a browser or over REST.
#[derive(Parser)]
#[command(name = "penstock", version, propagate_version = true)]
struct Cli {
    /// Configuration file; without it ./penstock.toml is read if it exists
    #[arg(long, global = true, env = "PENSTOCK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Sub,
}

#[derive(Subcommand)]
enum Sub {
    /// Serve the console
    Serve,
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigSub),
    /// API tokens
    #[command(subcommand)]
    Token(TokenSub),
    /// Print a link that signs a user in once
    LoginLink {
        /// Name of the user; the administrator of the first start when absent
        #[arg(long)]
        user: Option<String>,
    },
    /// Users
    #[command(subcommand)]
    User(UserSub),
    /// Bring the database's schema up to date and exit
    Migrate,
    /// Print the version
    Version,
}

#[derive(Subcommand)]
enum ConfigSub {
    /// Print the effective configuration without secrets; fails when it is not usable
    Check,
}

#[derive(Subcommand)]
enum TokenSub {
    /// Create a token and print its secret, which cannot be shown again
    Create {
        /// Name of the user whose rights it has
        #[arg(long)]
        user: String,
        /// What it is for
        #[arg(long)]
        name: String,
        /// Days until it expires, 1 to 365
        #[arg(long, default_value_t = 90)]
        days: i64,
    },
}

#[derive(Subcommand)]
enum UserSub {
    /// Create a user
    Create(NewUserArgs),
}

#[derive(Args)]
struct NewUserArgs {
    #[arg(long)]
    name: String,
    /// May do everything
    #[arg(long)]
    admin: bool,
    /// Membership as TEAM:ROLE (viewer, developer, operator); may be given several times
    #[arg(long = "team", value_name = "TEAM:ROLE", value_parser = membership)]
    teams: Vec<NewMembership>,
    /// Read the password from standard input; without it the user signs in by a link only
    #[arg(long)]
    password_stdin: bool,
}

fn membership(text: &str) -> Result<NewMembership, String> {
    let (team, role) = text.rsplit_once(':').ok_or("expected TEAM:ROLE")?;
    let role = Role::from_name(role).ok_or("the role is viewer, developer or operator")?;
    Ok(NewMembership {
        team: team.to_owned(),
        role,
    })
}

/// A subcommand's failure: what is printed on standard error.
struct Told(String);

impl<E: std::error::Error> From<E> for Told {
    fn from(error: E) -> Self {
        Told(error.to_string())
    }
}

/// Runs the process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match act(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Told(text)) => {
            let _ = writeln!(io::stderr(), "penstock: {text}");
            ExitCode::FAILURE
        }
    }
}

fn print(line: &str) {
    // Whoever closed our output does not want the line.
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

fn act(cli: Cli) -> Result<(), Told> {
    match cli.command {
        Sub::Version => {
            print(concat!("penstock ", env!("CARGO_PKG_VERSION")));
            Ok(())
        }
        Sub::Config(ConfigSub::Check) => {
            let loaded = load(cli.config)?;
            show(&loaded);
            Ok(())
        }
        Sub::Serve => {
            let config = load(cli.config)?.config;
            log(&config);
            runtime()?.block_on(boot::serve(config, print))?;
            Ok(())
        }
        Sub::Migrate => {
            let config = load(cli.config)?.config;
            log(&config);
            runtime()?.block_on(migrate(&config))
        }
        Sub::LoginLink { user } => {
            let config = load(cli.config)?.config;
            match command(&config, Command::LoginLink { user })? {
                Answer::LoginLink { secret } => {
                    print(&boot::login_link(&config, &Secret::new(secret)));
                    Ok(())
                }
                other => Err(unexpected(other)),
            }
        }
        Sub::Token(TokenSub::Create { user, name, days }) => {
            let config = load(cli.config)?.config;
            let new = NewToken { name, days };
            match command(&config, Command::CreateToken { user, new })? {
                Answer::Token { created } => {
                    print(&created.secret);
                    Ok(())
                }
                other => Err(unexpected(other)),
            }
        }
        Sub::User(UserSub::Create(args)) => {
            let config = load(cli.config)?.config;
            let new = NewUser {
                password: args.password_stdin.then(read_password).transpose()?,
                name: args.name,
                admin: args.admin,
                teams: args.teams,
            };
            match command(&config, Command::CreateUser { new })? {
                Answer::User { user } => {
                    print(user.id.as_str());
                    Ok(())
                }
                other => Err(unexpected(other)),
            }
        }
    }
}

fn load(file: Option<PathBuf>) -> Result<Loaded, Told> {
    let environment = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    config::load(file.as_deref(), environment).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ConfigError::to_string).collect();
        Told(format!(
            "the configuration is not usable\n  {}",
            lines.join("\n  ")
        ))
    })
}

fn show(loaded: &Loaded) {
    match &loaded.file {
        Some(file) => print(&format!("# file: {}", file.display())),
        None => print("# no file: defaults"),
    }
    if !loaded.variables.is_empty() {
        print(&format!("# environment: {}", loaded.variables.join(", ")));
    }
    print(loaded.config.shown().trim_end());
}

fn read_password() -> Result<String, Told> {
    let mut text = String::new();
    io::stdin().take(4096).read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn runtime() -> Result<tokio::runtime::Runtime, Told> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn log(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::new(&config.log.level);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // A second subscriber is a test's business; the first stays.
    let _ = match config.log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

async fn migrate(config: &Config) -> Result<(), Told> {
    let _lock = crate::lock::Lock::take(&config.server.data_dir)?;
    let db = boot::connect(config).await?;
    db.close().await;
    print("The database is up to date.");
    Ok(())
}

/// Asks the running process, or opens the console itself when none runs.
fn command(config: &Config, command: Command) -> Result<Answer, Told> {
    runtime()?.block_on(async {
        let data_dir = &config.server.data_dir;
        if let Some(answer) = host::ask(data_dir, &command)
            .await
            .map_err(|e| Told(format!("the running console does not answer: {e}")))?
        {
            return Ok(answer);
        }
        match boot::open(config).await {
            Ok(opened) => {
                opened.service.first_start().await?;
                let answer = host::carry_out(&opened.service, command).await;
                opened.db.close().await;
                Ok(answer)
            }
            Err(BootError::Lock(LockError::Held { pid, .. })) => Err(Told(format!(
                "process {pid} has the data directory and its management socket does not answer; \
                 wait until it has started, or run this as the user it runs as"
            ))),
            Err(error) => Err(error.into()),
        }
    })
}

fn unexpected(answer: Answer) -> Told {
    match answer {
        Answer::Failed { failure } => Told(failure.text(Lang::En)),
        _ => Told("the running console is of another version".into()),
    }
}
